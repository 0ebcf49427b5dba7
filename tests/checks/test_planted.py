"""Planted leaks of many kinds are caught by the check they belong to, and honest tables of many kinds raise no alarm."""

import json

import numpy as np
import pandas as pd
import pytest
from command_line import tabbench as typed

import tabbench
from tabbench.checks import running
from tabbench.comparison.check import check
from tabbench.core.check import CHECKS
from tabbench.options import Options

QUICK = {"approaches": ["lightgbm"], "preset": "fast", "sizes": "full", "folds": 3, "repeats": 1, "quiet": True,
         "executor": "in-process"}


def honest(rows=1_000, kind="binary", seed=0, noise=0.6):
    """Mixed columns with gaps of which some tell part of the target `y`."""
    rng = np.random.default_rng([seed, rows])
    a, b, c = rng.normal(size=(3, rows))
    level = rng.integers(0, 6, rows)
    score = 1.4 * a + 0.7 * b * (c > 0) + 0.3 * level + noise * rng.normal(size=rows)
    frame = pd.DataFrame({"a": a, "b": b, "c": np.where(rng.random(rows) < 0.1, np.nan, c),
                          "level": np.array(list("pqrstu"))[level],
                          "income": np.round(rng.lognormal(10, 0.5, rows), 2), "age": rng.integers(18, 90, rows)})
    frame["y"] = score if kind == "regression" else np.where(score > 0.7, "yes", "no") if kind == "binary" else np.array(
        ["low", "mid", "high"])[np.digitize(score, [0.0, 1.5])]
    return frame


def numbers(frame):
    """The target as numbers: codes of labels."""
    return frame["y"].to_numpy(float) if frame["y"].dtype == float else pd.factorize(frame["y"], sort=True)[0].astype(float)


def is_positive(frame):
    return numbers(frame) > np.median(numbers(frame)) if frame["y"].dtype == float else numbers(frame) == 1


def with_leak(make):
    return lambda frame, rng: frame.assign(leak=make(frame, rng))


def shuffled(frame, rng):
    return frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)


def of_entities(frame, rng, **names):
    """Four visits of each of the first rows: the same target, labels shuffled, measurements with noise."""
    count = len(frame) // 4
    visits = frame.iloc[np.repeat(np.arange(count), 4)].reset_index(drop=True)
    for column in ("a", "b", "c", "income"):
        visits[column] = visits[column] + 0.7 * frame[column].std() * rng.normal(size=len(visits))
    for name, values in names.items():
        visits[name] = np.repeat(values[:count], 4)
    return shuffled(visits, rng)


def following_time(frame, rng):
    """Rows shuffled in the file, each with a day that its target follows."""
    day = np.sort(rng.integers(0, 600, len(frame)))
    place = np.argsort(np.sin(day / 40) + 0.3 * rng.normal(size=len(frame)))
    rows = np.empty(len(frame), dtype=int)
    rows[place] = np.argsort(numbers(frame) + 0.3 * rng.normal(size=len(frame)))
    return shuffled(frame.iloc[rows].assign(day=pd.Timestamp("2020-01-01") + pd.to_timedelta(day, unit="D")), rng)


def numbered_by_target(frame, rng):
    ordered = frame.iloc[np.argsort(numbers(frame) + 0.2 * rng.normal(size=len(frame)))]
    return shuffled(ordered.assign(record=[f"R{number:05d}" for number in range(len(frame))]), rng)


def between_rows(frame, rng):
    """A third more rows, each on the line between two rows of one class that are near each other."""
    same = frame[(frame["y"] == "yes") & frame["c"].notna()].sort_values("a")
    first = same.iloc[rng.integers(0, len(same) - 1, len(frame) // 3)]
    second = same.iloc[np.searchsorted(same["a"], first["a"], side="right").clip(max=len(same) - 1)]
    made, share = first.copy(), rng.random((len(first), 1))
    columns = ["a", "b", "c", "income"]
    made[columns] = first[columns].to_numpy() * (1 - share) + second[columns].to_numpy() * share
    return shuffled(pd.concat([frame[frame["c"].notna()], made]), rng)


def nearly_copied(frame, rng):
    copies = frame.sample(len(frame) // 3, random_state=0)
    noise = 0.001 * rng.normal(size=(len(copies), 3)) * frame[["a", "b", "income"]].std().to_numpy()
    return shuffled(pd.concat([frame, copies.assign(**(copies[["a", "b", "income"]] + noise))]), rng)


def copied_but_for_one(frame, rng):
    rows = pd.concat([frame, frame.sample(len(frame) // 3, random_state=0)])
    return shuffled(rows.assign(clerk=rng.integers(0, 60, len(rows))), rng)


def gaps_in_six(frame, rng):
    chance = np.where(is_positive(frame), 0.6, 0.15)
    return frame.assign(**{f"gap{number}": np.where(rng.random(len(frame)) < chance, np.nan, rng.normal(size=len(frame)))
                           for number in range(6)})


def parts(join):
    def plant(frame, rng):
        part = np.exp(rng.normal(size=len(frame)))
        return frame.assign(whole=join(numbers(frame) + 10 * (frame["y"].dtype == float), part), part=part).assign(
            y=frame["y"] + 10 if frame["y"].dtype == float else frame["y"])
    return plant


def mislabelled(frame, rng):
    labels = np.unique(frame["y"])
    wrong = (np.searchsorted(labels, frame["y"]) + rng.integers(1, len(labels), len(frame))) % len(labels)
    return frame.assign(y=np.where(rng.random(len(frame)) < 0.15, labels[wrong], frame["y"]))


def either(frame, rng):
    key = rng.random(len(frame)) < 0.5
    return frame.assign(k=key, k2=key ^ is_positive(frame))


def start_and_end(frame, rng):
    start = rng.uniform(0, 500, len(frame))
    return frame.assign(start=start, end=start + 10 * numbers(frame) + rng.uniform(0, 8, len(frame)))


def mean_by_shop(frame, rng):
    shop = rng.integers(0, 150, len(frame))
    return frame.assign(leak=pd.Series(numbers(frame)).groupby(shop).transform("mean"), shop=[f"s{each}" for each in shop])


def mean_of_others_by_shop(frame, rng):
    shop = np.arange(len(frame)) % 150
    by_shop = pd.Series(numbers(frame)).groupby(shop)
    others = (by_shop.transform("sum") - numbers(frame)) / (by_shop.transform("count") - 1)
    return frame.assign(leak=others, shop=[f"s{each}" for each in shop])


def pulled_mean(frame, rng, known=None):
    """The mean by shop, over the known rows, pulled to that of all; the shop itself is not in the table."""
    shop, known = rng.integers(0, 60, len(frame)), np.ones(len(frame), dtype=bool) if known is None else known
    count, total = (np.bincount(shop[known], weights=each[known], minlength=60) for each in (np.ones(len(frame)), numbers(frame)))
    return ((total + 10 * numbers(frame).mean()) / (count + 10))[shop]


def mean_from_before(rng):
    """An honest one, of rows that are not in the table."""
    frame, known = honest(3_000, seed=16), np.arange(3_000) < 1_500
    return frame.assign(history=pulled_mean(frame, rng, known))[~known]


def one_hot_target(frame, rng):
    parts = pd.qcut(frame["a"] + rng.normal(size=len(frame)), 5, labels=list("vwxyz")).astype(str)
    return frame.drop(columns="y").join(pd.get_dummies(parts, prefix="part")).assign(y=parts)


def refund(frame, rng):
    """Three columns that are filled in for some of the positives only."""
    has = is_positive(frame) & (rng.random(len(frame)) < 0.6)
    return frame.assign(refund_amount=np.where(has, rng.gamma(2.0, 10.0, len(frame)), np.nan),
                        refund_days=np.where(has, rng.integers(1, 30, len(frame)), np.nan),
                        refund_reason=np.where(has, rng.choice(["late", "broken"], len(frame)), None))


def panel(rng):
    """150 countries in 20 years with a trend."""
    country, year = np.repeat(np.arange(150), 20), np.tile(np.arange(2000, 2020), 150)
    wealth = rng.normal(size=150)[country] + 0.1 * rng.normal(size=3_000)
    return pd.DataFrame({"year": year, "country": [f"c{each:03d}" for each in country], "wealth": wealth,
                         "y": 5 * rng.normal(size=150)[country] + 0.3 * (year - 2000) + wealth + rng.normal(size=3_000)})


def factorial(rng):
    levels = np.meshgrid(np.arange(20, 95, 5), [1, 2, 5, 10, 20], range(8), indexing="ij")
    temperature, dose, kind = (each.ravel() for each in levels)
    frame = pd.DataFrame({"temperature": temperature, "dose": dose, "kind": [f"k{each}" for each in kind]})
    return frame.assign(y=0.1 * temperature + np.log(dose) + rng.normal(size=8)[kind] + 0.5 * rng.normal(size=len(frame)))


def monthly(rng):
    frame = honest(2_000, seed=17)
    return frame.assign(month=np.repeat(pd.date_range("2020-01-01", periods=20, freq="MS"), 100))


def by_class_with_weeks(rng):
    frame = honest(3_000, seed=18)
    return frame.assign(week=pd.Timestamp("2024-01-01") + pd.to_timedelta(7 * rng.integers(0, 60, 3_000), unit="D"),
                        Id=0).sort_values("y", ignore_index=True).assign(Id=range(3_000))


def sums(rng):
    frame = pd.DataFrame(rng.normal(size=(2_000, 2)), columns=["a", "b"])
    return frame.assign(total=frame["a"] + frame["b"], y=np.where(frame["a"] + rng.normal(size=2_000) > 2.5, "ill", "well"))


def temperatures(rng):
    celsius = rng.normal(20, 5, 800)
    return pd.DataFrame({"celsius": celsius, "fahrenheit": celsius * 1.8 + 32, "kelvin": celsius + 273.15}).assign(
        y=np.where(celsius + 5 * rng.normal(size=800) > 20, "hot", "cold"))


def claims(rng):
    frame = honest(3_000, "regression", seed=19)
    return frame.assign(y=np.where(rng.random(3_000) < 0.3, np.exp(frame["y"]), 0.0))


def born(rng):
    frame = honest(1_500, "regression", seed=20)
    age = rng.uniform(20, 80, 1_500)
    return frame.assign(birth_date=pd.Timestamp("2024-01-01") - pd.to_timedelta((365 * age).astype(int), unit="D"),
                        y=frame["y"] + 0.1 * age)


def in_blocks(frame, rng):
    ordered = frame.sort_values("y")
    return pd.concat([ordered.iloc[start::20] for start in range(20)], ignore_index=True)


WORDS = np.array(["please", "call", "back", "about", "order", "number", "size", "colour", "item"])

PLANTED = {
    "the target itself": ("bmr", "target-copy", "leak", with_leak(lambda frame, rng: frame["y"])),
    "levels renamed": ("bm", "target-copy", "leak", with_leak(lambda frame, rng: "L" + frame["y"].str[::-1])),
    "a monotone function": ("r", "target-copy", "leak", with_leak(lambda frame, rng: np.exp(frame["y"] / 3))),
    "with little noise": ("r", "single-feature", "leak", with_leak(
        lambda frame, rng: frame["y"] + 0.05 * rng.normal(size=len(frame)))),
    "outcome codes": ("bm", "single-feature", "leak", with_leak(
        lambda frame, rng: (7 * numbers(frame) + rng.integers(0, 7, len(frame))).astype(int))),
    "codes of two rows each, out of order": ("bm", "single-feature", "leak", with_leak(
        lambda frame, rng: rng.permutation(len(frame))[np.argsort(np.argsort(numbers(frame), kind="stable")) // 2])),
    "far above all others": ("b", "single-feature", "leak", with_leak(
        lambda frame, rng: np.where(rng.random(len(frame)) < 0.03, 1 - numbers(frame), numbers(frame)))),
    "one value for a class": ("b", "single-feature", "leak", with_leak(
        lambda frame, rng: np.where(is_positive(frame), 5.0, 5 + rng.normal(size=len(frame))))),
    "whole minus part": ("r", "combined-columns", "whole", parts(np.add)),
    "whole by part": ("r", "combined-columns", "whole", parts(np.multiply)),
    "either, not both": ("b", "combined-columns", "k", either),
    "start and end": ("bm", "combined-columns", "start", start_and_end),
    "mean target by level": ("br", "made-from-target", "leak", mean_by_shop),
    "mean of the others by level": ("r", "made-from-target", "leak", mean_of_others_by_shop),
    "one-hot target": ("b", "target-copy", "part", one_hot_target),
    "filled in together for some positives": ("b", "telling-values", "refund", refund),
    "a copy with many gaps": ("bmr", "target-copy", "leak", with_leak(
        lambda frame, rng: frame["y"].where(rng.random(len(frame)) < 0.4))),
    "bands of the target": ("r", "target-copy", "leak", with_leak(
        lambda frame, rng: pd.qcut(frame["y"], 5, labels=list("edcab")))),
    "mean of an unknown level, pulled": ("bmr", "made-from-target", "leak", with_leak(pulled_mean)),
    "running total": ("br", "made-from-target", "leak", with_leak(lambda frame, rng: np.cumsum(numbers(frame)))),
    "the next row's target": ("bmr", "made-from-target", "leak", with_leak(lambda frame, rng: frame["y"].shift(-1))),
    "identifiers given in order": ("bmr", "identifier-predicts", "record", numbered_by_target),
    "class within the identifier": ("bm", "telling-words", "leak", with_leak(lambda frame, rng: [
        f"{label[0]}-{number:06d}" for label, number in zip(frame["y"], rng.permutation(len(frame)), strict=True)])),
    "a word in a text": ("bm", "telling-words", "leak", with_leak(lambda frame, rng: [
        " ".join(rng.choice(WORDS, 6)) + f" was {label[::-1]} no {rng.integers(10**6)}" for label in frame["y"]])),
    "order in blocks": ("bm", "ordered-target", "rows", in_blocks),
    "missing for some positives": ("bmr", "missingness", "leak", with_leak(lambda frame, rng: np.where(
        is_positive(frame) & (rng.random(len(frame)) < 0.8), np.nan, rng.normal(size=len(frame))))),
    "filled in for a third of the positives": ("bmr", "telling-values", "leak", with_leak(lambda frame, rng: np.where(
        is_positive(frame) & (rng.random(len(frame)) < 0.35), rng.choice(["X1", "X2", "X3"], len(frame)), None))),
    "gaps of several columns": ("b", "missingness-predicts", "gap", gaps_in_six),
    "copied rows": ("bmr", "copied-rows", "rows", lambda frame, rng: shuffled(
        pd.concat([frame, frame.sample(len(frame) // 3, random_state=0)]), rng)),
    "copied but for one column": ("bmr", "near-duplicates", "clerk", copied_but_for_one),
    "copied with noise": ("bmr", "near-duplicates", "rows", nearly_copied),
    "made up between others": ("b", "near-duplicates", "rows", between_rows),
    "patients by name": ("bmr", "undeclared-group", "patient_id", lambda frame, rng: of_entities(
        frame, rng, patient_id=rng.permutation(10**4))),
    "patients without a name": ("bmr", "undeclared-group", "", lambda frame, rng: of_entities(
        frame, rng, height=rng.integers(1_500, 2_000, len(frame)) / 10, born=rng.integers(1930, 2000, len(frame)))),
    "target follows the day": ("bmr", "undeclared-time", "day", following_time),
    "wrong labels": ("bm", "label-noise", "y", mislabelled),
    "wrong units": ("r", "doubtful-target", "y", lambda frame, rng: frame.assign(
        y=np.where(rng.random(len(frame)) < 0.02, 1_000 * frame["y"], frame["y"]))),
}
KINDS = {"b": "binary", "m": "multiclass", "r": "regression"}
ROWS = {"wrong labels": 2_500}
NOISE = {"wrong labels": 0.1, "far above all others": 2.0}


def alarms(frame, **options):
    return [finding for finding in check(frame, Options(target="y", **options).checked()).prepared.findings
            if finding.severity != "info"]


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, plant in PLANTED.items() for kind in plant[0]])
def test_planted_leaks_are_caught(name, kind, monkeypatch):
    _, code, subject, plant = PLANTED[name]
    # The other checks are asked about clean tables, where they would cost a claim.
    monkeypatch.setattr(running, "CHECKS", [each for each in CHECKS if any(said.code.startswith(code) for said in each.says)])
    frame = honest(ROWS.get(name, 1_000), KINDS[kind], seed=1, noise=NOISE.get(name, 0.6))
    found = alarms(plant(frame, np.random.default_rng(2)))
    caught = [finding for finding in found if finding.code.startswith(code) and finding.subject.startswith(subject)]
    assert caught, [(finding.code, finding.subject) for finding in found]
    assert all(finding.spoils for finding in caught) or code in ("label-noise", "doubtful-target")


def strong(rng, rows=800):
    frame = honest(rows, "regression", seed=4)
    return frame.assign(y=3 * frame["a"] + 0.9 * rng.normal(size=rows))


def classes_apart(rng, rows=500):
    label = rng.integers(0, 3, rows)
    return pd.DataFrame(rng.normal(size=(rows, 4)) + 3 * np.eye(3)[label] @ rng.normal(size=(3, 4))).add_prefix("x").assign(
        y=np.array(["u", "v", "w"])[label])


def wide(rng):
    frame = pd.DataFrame(rng.normal(size=(200, 300))).add_prefix("x")
    return frame.assign(y=np.where(frame["x0"] + frame["x1"] + rng.normal(size=200) > 0, "yes", "no"))


def rare(rng):
    frame = honest(2_000, "regression", seed=5)
    return frame.assign(y=np.where(frame["y"] > frame["y"].quantile(0.96), "ill", "well"))


def categories(rng):
    frame = pd.DataFrame({name: rng.choice(list("abcd"), 900) for name in "pqrst"})
    return frame.assign(y=np.where((frame["p"] < "b") ^ (rng.random(900) < 0.25), "yes", "no"))


def with_texts(rng):
    return honest(600, seed=6).assign(note=[" ".join(rng.choice(WORDS, 7)) for _ in range(600)])


def with_dates(rng):
    return honest(700, seed=7).assign(joined=pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, 700), unit="D"))


def whole_numbers(rng):
    frame = pd.DataFrame(rng.integers(0, 10, size=(800, 6))).add_prefix("score")
    return frame.assign(y=(frame["score0"] + frame["score1"] + rng.integers(-3, 4, 800)).astype(float))


CLEAN = {f"{kind}, {rows} rows, seed {seed}": (lambda rng, kind=kind, rows=rows, seed=seed: honest(rows, kind, seed, 1.0))
         for kind in KINDS.values() for rows, seed in ((80, 0), (300, 1), (1_500, 2))} | {
    "strong single predictor": strong, "classes far apart": classes_apart, "wide": wide, "rare class": rare,
    "categories only": categories, "texts": with_texts, "dates": with_dates, "whole numbers": whole_numbers,
    "sorted by class": lambda rng: honest(seed=8).sort_values("y", ignore_index=True),
    "sorted by a column": lambda rng: honest(seed=9).sort_values("a", ignore_index=True),
    "sorted by number": lambda rng: honest(kind="regression", seed=10).sort_values("y", ignore_index=True),
    "numbered rows": lambda rng: honest(seed=11).assign(record=range(1_000)),
    "customers that say nothing": lambda rng: honest(seed=12).assign(customer_id=rng.integers(0, 250, 1_000)),
    "much noise": lambda rng: honest(seed=13, noise=4.0), "hardly any noise": lambda rng: honest(seed=14, noise=0.05),
    "means from before": mean_from_before, "panel": panel, "factorial": factorial, "months in order": monthly,
    "sorted by class, weeks and numbers": by_class_with_weeks, "a sum among the columns": sums,
    "one number in three units": temperatures, "mostly nothing": claims, "birth dates": born,
    "a duration called time": lambda rng: honest(seed=21).rename(columns={"a": "time"}),
    "heavy tails": lambda rng: honest(kind="regression", seed=15).assign(y=lambda frame: np.exp(frame["y"])),
}


def test_there_are_twenty_of_each():
    assert len(PLANTED) >= 20 and len(CLEAN) >= 20


@pytest.mark.parametrize("name", CLEAN)
def test_clean_tables_raise_no_alarm(name):
    assert not alarms(CLEAN[name](np.random.default_rng(3)))


def test_what_came_before_may_be_known_where_time_is_declared():
    rng = np.random.default_rng(0)
    level = np.cumsum(rng.normal(size=800)) + 5 * rng.normal(size=800)
    frame = pd.DataFrame({"date": pd.date_range("2020-01-01", periods=800), "x": rng.normal(size=800), "y": level})
    before, after = frame.assign(lag=frame["y"].shift(1)), frame.assign(lead=frame["y"].shift(-1))
    assert [finding.subject for finding in alarms(before) if finding.code == "made-from-target"] == ["lag"]
    assert not alarms(before, time="date")
    assert [finding.subject for finding in alarms(after, time="date")] == ["lead"]


@pytest.mark.slow
def test_own_folds_that_keep_groups_whole_are_not_blamed():
    frame = of_entities(honest(), np.random.default_rng(0), patient_id=np.random.default_rng(1).permutation(10**4))
    whole, torn = frame.assign(part=frame["patient_id"] % 4), frame.assign(part=np.arange(len(frame)) % 4)
    found = [{finding.code for finding in alarms(each, **options)} for each, options in (
        (frame, {}), (whole, {"fold": "part"}), (torn, {"fold": "part"}))]
    assert ["undeclared-group" in each for each in found] == [True, False, True]


def test_a_mean_by_level_is_found_in_large_tables():
    rng = np.random.default_rng(5)
    found = alarms(mean_by_shop(honest(25_000), rng))
    assert [finding.subject for finding in found if finding.code == "made-from-target"] == ["leak"]


def split_files(tmp_path, frame, is_test):
    for name, rows in (("train", frame[~is_test]), ("test", frame[is_test])):
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
    return str(tmp_path / "train.csv"), str(tmp_path / "test.csv")


def test_a_test_file_of_another_kind_is_told_and_a_fair_one_is_not(tmp_path):
    frame, rng = honest(800), np.random.default_rng(0)
    for place, is_shifted in ((frame["b"] + rng.normal(size=800), True), (rng.normal(size=800), False)):
        train, test = split_files(tmp_path, frame, (place > 0.7).to_numpy() if is_shifted else place > 0.7)
        found = check(train, Options(target="y", test=test).checked()).prepared.findings
        assert [finding.subject for finding in found if finding.code == "shifted-splits"] == ["b"] * is_shifted


def test_own_folds_of_different_kinds_and_shared_rows_are_told():
    frame = honest(800)
    found = alarms(frame.assign(part=pd.qcut(frame["a"], 4, labels=False)), fold="part")
    assert ("shifted-splits", "a") in [(finding.code, finding.subject) for finding in found]
    doubled = pd.concat([frame.assign(part=0), frame.iloc[:200].assign(part=1)])
    (shared,) = [finding for finding in alarms(doubled, fold="part") if finding.code == "tie-on-both-sides"]
    assert shared.spoils


def test_the_command_tells_by_its_exit_code_and_prints_only_json(tmp_path):
    file = tmp_path / "table.csv"
    honest(300).assign(code=lambda frame: frame["y"].str[0]).to_csv(file, index=False)
    found = typed("check", file, "--target", "y", "--json")
    assert found.exit_code == 3 and not found.stderr
    assert {"target-copy"} <= {finding["code"] for finding in json.loads(found.stdout)["findings"]}
    cured = typed("check", file, "--target", "y", "--drop", "code")
    assert cured.exit_code == 0 and "No warnings." in cured.stdout
    mistaken = typed("check", file, "--target", "z")
    assert mistaken.exit_code == 1 and len(mistaken.stderr.splitlines()) == 1 and not mistaken.stdout


@pytest.mark.slow
def test_a_comparison_with_a_leak_is_suspect_and_wrong_labels_are_told_by_the_best_approach():
    frame = honest(1_200, noise=0.1, seed=1)
    frame["code"] = (frame["y"] == "yes").astype(float) + 0.02 * frame["a"].abs()
    leaking = tabbench.compare(frame, "y", **QUICK)
    assert leaking.sentence.startswith("This verdict is suspect: the column `code` alone predicts")
    rng = np.random.default_rng(0)
    mistaken = tabbench.compare(mislabelled(frame.drop(columns="code"), rng), "y", **QUICK)
    (finding,) = mistaken.findings[mistaken.findings["code"] == "label-noise"].to_dict("records")
    assert not finding["spoils"] and "suspect" not in mistaken.sentence
    assert "of the labels in `y` look wrong" in finding["message"]
