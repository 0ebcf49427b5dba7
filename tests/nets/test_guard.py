"""Faults provoked through public inputs: seen, told from each other, survived; and nothing is said of clean rows.

The numbers I01 to I22 are those of the matrix that the guard was built against.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load

from tabbench import GuardedMLPClassifier, GuardedMLPRegressor
from tabbench.core.errors import BadOption
from tabbench.nets.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from tabbench.nets.recovery import TrainingFailed

pytestmark = pytest.mark.filterwarnings("ignore::tabbench.core.errors.TrainingWarning")
QUICK = {"preset": "fast", "max_epochs": 20, "random_state": 0, "device": "cpu"}


def table(rows: int = 400, columns: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and a target with an interaction and a little noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, columns))
    return X, X[:, 0] * X[:, 1] + X[:, 2] + 0.1 * rng.normal(size=rows)


def labels(rows: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    X, y = table(rows, seed=seed)
    return X, np.where(y > 0, "high", "low")


def regressor(**parameters: object) -> GuardedMLPRegressor:
    return GuardedMLPRegressor(**(QUICK | parameters))


def classifier(**parameters: object) -> GuardedMLPClassifier:
    return GuardedMLPClassifier(**(QUICK | parameters))


def codes(model: object) -> list[str]:
    return sorted({incident.code for incident in model.incidents_})


@pytest.fixture(scope="module")
def twin_score() -> float:
    """What the same net reaches at its own rate."""
    X, y = labels()
    return classifier().fit(X, y).score(*labels(seed=1))


# -- inputs ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_i01_infinity_is_refused_by_column_and_row(value):
    X, y = labels()
    X[17, 2] = value
    with pytest.raises(ValueError, match=r"infinity in column .*2.*, row 17"):
        classifier().fit(X, y)
    model = classifier(max_epochs=2).fit(*labels())
    with pytest.raises(ValueError, match="row 17"):
        model.predict(X)


def test_i01_a_missing_cell_is_no_fault():
    X, y = labels()
    X[17, 2] = np.nan
    assert classifier().fit(X, y).incidents_ == []


@pytest.mark.parametrize("label", [np.nan, np.inf])
def test_i02_a_label_without_value_is_refused(label):
    X, y = table()
    y[3] = label
    with pytest.raises(ValueError, match="y contains"):
        regressor().fit(X, y)


@pytest.mark.parametrize("rows", [4, 5, 11])
def test_i03_few_rows_and_columns_that_say_nothing(rows):
    X = np.column_stack([np.ones(rows), np.full(rows, np.nan), np.arange(rows), np.arange(rows)])
    y = np.arange(rows) % 2
    model = classifier().fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()
    constant = regressor().fit(np.ones((rows, 1)), np.full(rows, 7.0))
    np.testing.assert_allclose(constant.predict(np.ones((3, 1))), 7.0)


@pytest.mark.parametrize("value", [1e19, -1e20, 1e30, 3e38])
def test_i04_huge_cells_stay_large_and_harm_nobody(value, twin_score):
    X, y = labels()
    X[:4, 1] = value
    model = classifier().fit(X, y)
    assert model.incidents_ == []
    assert model.score(*labels(seed=1)) > twin_score - 0.04
    probabilities = model.predict_proba(np.repeat(X[:1], 3, axis=0) * [1, 0, 1, 1, 1] + np.sign(value) * np.array(
        [[0, 3, 0, 0, 0], [0, abs(value), 0, 0, 0], [0, 1e308, 0, 0, 0]]))
    assert np.abs(probabilities[2] - probabilities[1]).max() < 1e-3  # not back at the median


def test_i05_one_target_far_outside_is_named_and_outweighed():
    X, y = table(1000)
    clean = regressor().fit(X, y)
    y_dirty = y.copy()
    y_dirty[13] = 1e30
    model = regressor().fit(X, y_dirty)
    assert codes(model) == ["D06"]
    assert model.incidents_[0].details["rows"] == [13]
    errors, clean_errors = (np.median(np.abs(each.predict(X) - y)) for each in (model, clean))
    assert errors < 2 * clean_errors


# -- rates ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [1.0, 1e2, 1e4, 1e8, 1e16, 1e30])
def test_i06_no_rate_is_too_high(rate, twin_score):
    model = classifier(learning_rate=rate).fit(*labels())
    assert model.score(*labels(seed=1)) >= 0.95 * twin_score
    if rate > 1:
        assert codes(model)[0] == "O01"
        assert model.incidents_[0].details["step"] <= 100
        assert model.n_rollbacks_ > 0


class FasterAt:
    """Multiplies the rate once."""

    def __init__(self, epoch: int, factor: float = 1e4) -> None:
        self.epoch, self.factor = epoch, factor

    def on_epoch_end(self, state: object) -> None:
        if state.epoch == self.epoch:
            state.learning_rate *= self.factor


def test_i07_a_rate_that_jumps_later_is_taken_back(twin_score):
    model = classifier(callbacks=[FasterAt(5)], max_epochs=25).fit(*labels())
    assert set(codes(model)) <= {"O01", "O02"}
    assert {incident.epoch for incident in model.incidents_} <= {6, 7}
    assert model.score(*labels(seed=1)) >= 0.95 * twin_score


def test_i07_weights_that_break_at_a_step_whose_gradient_is_not_measured_are_taken_back(twin_score):
    """The first step at the rate breaks them, and the three after it are judged by their losses alone."""
    model = classifier(callbacks=[FasterAt(5, 1e25)], max_epochs=25).fit(*labels())
    assert set(codes(model)) <= {"O01", "O02"} and model.n_rollbacks_ > 0
    assert {incident.epoch for incident in model.incidents_} <= {6, 7}
    assert model.score(*labels(seed=1)) >= 0.95 * twin_score


# -- losses and rows ------------------------------------------------------------------------------------------------------------


def dirty_rows_loss(dirty: np.ndarray, y: np.ndarray, kind: str) -> object:
    """A squared error that fails on these rows alone, forwards or only backwards."""
    standardised = torch.tensor((y[dirty] - y.mean()) / y.std(), dtype=torch.float32)

    def loss(outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        distance = (target[:, None] - standardised.to(target)).abs().amin(dim=1)
        far = (distance > 1e-6).to(outputs)
        squared = (outputs[:, 0] - target) ** 2
        if kind == "division":
            return squared + 0 * (1 / far)
        if kind == "logarithm":
            return squared + 0 * torch.log(far)
        return squared + 1e-3 * torch.sqrt((1 + outputs[:, 0] ** 2) * far)  # finite itself, but not its slope at zero

    return loss


@pytest.mark.parametrize("kind, operation", [("division", "reciprocal"), ("logarithm", "log"), ("root", "sqrt")])
def test_i08_rows_that_break_a_loss_are_named_with_the_operation(kind, operation):
    X, y = table()
    frame = pd.DataFrame(X, index=[f"row {number}" for number in range(len(X))])  # I21
    model = regressor(loss=dirty_rows_loss(np.array([7, 301]), y, kind)).fit(frame, y)
    assert model.quarantined_rows_ == ["row 7", "row 301"]
    assert codes(model) == ["D08"]
    assert operation in model.incidents_[0].details["operation"]
    assert model.score(frame, y) > 0.8


def test_i08_a_loss_without_a_number_is_told_from_rows():
    """The logarithm of a probability that reaches zero: no row is to blame, the form of the loss is."""

    def loss(outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        chosen = torch.softmax(outputs * 60, dim=1)[torch.arange(len(target)), target]
        return -torch.log(chosen)

    model = classifier(loss=loss).fit(*labels())
    assert "D08" not in codes(model)
    assert model.quarantined_rows_ == []
    assert np.isfinite(model.predict_proba(labels()[0])).all()


@pytest.mark.parametrize("count", [1, 2, 5, 50])
def test_i09_all_dirty_rows_and_no_other(count):
    X, y = table(5000)
    dirty = np.sort(np.random.default_rng(count).choice(5000, count, replace=False))
    loss = dirty_rows_loss(dirty, y, "division")
    model = regressor(loss=loss, max_epochs=2)
    assert model.find_dirty_rows(X, y).index.tolist() == dirty.tolist()
    assert model.fit(X, y).quarantined_rows_ == dirty.tolist()


def test_i09_more_than_the_allowance_ends_it_with_the_count():
    X, y = table(300)
    loss = dirty_rows_loss(np.arange(40), y, "division")
    with pytest.raises(TrainingFailed, match="40 of 300 rows"):
        regressor(loss=loss).fit(X, y)


def test_i10_a_loss_that_depends_on_the_weights_blames_no_row():
    """Beyond a distance from the start the loss explodes for all rows alike."""

    def loss(outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        squared = (outputs[:, 0] - target) ** 2
        return torch.where(outputs.abs().max() > 1.2, squared * 1e6, squared)

    model = regressor(loss=loss).fit(*table())
    assert model.quarantined_rows_ == []
    assert np.isfinite(model.predict(table()[0])).all()


def test_i12_an_overflow_of_float16_costs_steps_and_a_dirty_row_is_still_a_dirty_row():
    X, y = table()
    clean = regressor(precision="float16").fit(X, y)
    assert set(codes(clean)) <= {"N01"} and clean.score(X, y) > 0.9
    steep = regressor(precision="float16", loss=lambda outputs, target: 30.0 * (outputs[:, 0] - target) ** 2).fit(X, y)
    assert set(codes(steep)) == {"N01"} and steep.n_rollbacks_ == 0  # halving the scale is enough
    assert steep.score(X, y) > clean.score(X, y) - 0.05
    too_steep = regressor(precision="float16", loss=lambda outputs, target: 1e8 * (outputs[:, 0] - target) ** 2).fit(X, y)
    assert "N02" in codes(too_steep) and too_steep.n_rollbacks_ == 0 and too_steep.score(X, y) > clean.score(X, y) - 0.05
    dirty = regressor(precision="float16", loss=dirty_rows_loss(np.array([11]), y, "division")).fit(X, y)
    assert dirty.quarantined_rows_ == [11] and set(codes(dirty)) <= {"D08", "N01"}


def test_fewer_bits_give_nearly_the_same_net():
    X, y = table()
    exact, rounded = (regressor(precision=name).fit(X, y) for name in ("float32", "bfloat16"))
    assert rounded.incidents_ == [] and abs(exact.score(X, y) - rounded.score(X, y)) < 0.05


def test_i13_dirty_validation_rows_do_not_touch_training():
    X, y = table()
    clean = regressor(folds=1).fit(X, y)
    model = regressor(folds=1, loss=dirty_rows_loss(np.array([11]), y, "division")).fit(X, y)
    assert model.quarantined_rows_ == [11]
    assert abs(model.score(X, y) - clean.score(X, y)) < 0.05


def test_i17_learning_by_heart_succeeds_for_a_sound_net_and_fails_for_a_wrong_loss():
    X, y = table()
    y = np.random.default_rng(0).permutation(y)  # labels shuffled: only memory helps
    sound = regressor().sanity_check(X, y)
    assert sound["is_learnt"].iloc[:2].all()
    frozen = regressor(loss=lambda outputs, target: 0 * outputs[:, 0] + target**2).sanity_check(X, y)
    assert not frozen["is_learnt"].iloc[-1]
    assert len(frozen) == 1


def test_i19_a_loss_that_is_always_nan_ends_soon():
    with pytest.raises(TrainingFailed, match="no finite value"):
        regressor(loss=lambda outputs, target: outputs[:, 0] * torch.nan).fit(*table())


@pytest.mark.parametrize("returned, match", [(lambda o, t: o[:3, 0], "one number a row"),
                                             (lambda o, t: 3.0, "must return a tensor")])
def test_a_loss_of_another_shape_is_refused(returned, match):
    with pytest.raises(BadOption, match=match):
        regressor(loss=returned).fit(*table())


def test_without_a_guard_clean_rows_give_the_same_numbers():
    X, y = labels()
    guarded, bare = (classifier(guard=guard).fit(X, y).predict_proba(X) for guard in (True, False))
    assert guarded.tobytes() == bare.tobytes()


def test_i14_without_a_guard_no_prediction_is_nan_either():
    X, y = labels()
    try:
        predictions = classifier(guard=False, learning_rate=1e30).fit(X, y).predict_proba(X)
    except TrainingFailed:
        return
    assert np.isfinite(predictions).all()


@pytest.mark.parametrize("seed", range(6))
def test_i20_nothing_is_said_of_clean_rows(seed):
    X, y = labels(150 + 50 * seed, seed)
    assert classifier(max_epochs=None, random_state=seed).fit(X, y).incidents_ == []
    X, y = table(150 + 50 * seed, seed=seed)
    assert regressor(max_epochs=None, random_state=seed).fit(X, y).incidents_ == []


# -- memory, disk, death --------------------------------------------------------------------------------------------------------


def run_python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux'")
def test_i15_too_little_memory_halves_what_is_computed_at_once():
    code = """
        import resource, numpy as np, torch
        from tabbench import GuardedMLPRegressor
        rng = np.random.default_rng(0)
        X = rng.normal(size=(20_000, 10)); y = X[:, 0] + X[:, 1] ** 2
        make = lambda: GuardedMLPRegressor("fast", hidden_sizes=(512, 512), batch_size=16384, max_epochs=1, folds=1, dropout=0.0,
                                           random_state=0, device="cpu")
        GuardedMLPRegressor("fast", max_epochs=1, folds=1).fit(X[:300], y[:300])
        used = int(open("/proc/self/statm").read().split()[0]) * 4096
        resource.setrlimit(resource.RLIMIT_AS, (used + 250_000_000, resource.RLIM_INFINITY))
        model = make().fit(X, y)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(*sorted({each.code for each in model.incidents_}))
        print(np.abs(make().fit(X, y).predict(X) - model.predict(X)).max())
        """
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    found, difference = done.stdout.splitlines()
    assert "R01" in found.split()
    assert float(difference) < 0.05


FIT = """
    import sys, time, numpy as np
    from tabbench import GuardedMLPClassifier
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4)); y = X[:, 0] * X[:, 1] > 0
    class Slow:
        def on_epoch_end(self, state): print("epoch", state.epoch, flush=True); time.sleep(0.2)
    model = GuardedMLPClassifier("fast", max_epochs=12, random_state=0, device="cpu", callbacks=[Slow()])
    model.fit(X, y, checkpoint=sys.argv[1], **({"resume_from": sys.argv[1]} if len(sys.argv) > 2 else {}))
    """


def fit_here(folder: object, **how: object) -> tuple[bytes, list[int]]:
    """What the same fit as in `FIT` predicts, and the epochs that it took."""
    class Counts:
        def on_epoch_end(self, state: object) -> None:
            epochs.append(state.epoch)

    epochs: list[int] = []
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    model = GuardedMLPClassifier("fast", max_epochs=12, random_state=0, device="cpu", callbacks=[Counts()])
    model.fit(X, X[:, 0] * X[:, 1] > 0, checkpoint=folder, **how)
    return model.predict_proba(X).tobytes(), epochs


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What the fit predicts when nothing happens to it, and its checkpoints."""
    folder = tmp_path_factory.mktemp("whole")
    return fit_here(folder)[0], folder


@pytest.mark.slow
def test_i16_killed_twice_and_continued_it_ends_at_the_same_bits(whole, tmp_path):
    for epochs, how in ((3, ()), (7, ("resume",))):
        killed = subprocess.Popen([sys.executable, "-c", textwrap.dedent(FIT), str(tmp_path), *how], stdout=subprocess.PIPE,
                                  text=True)
        for line in killed.stdout:
            if line.split() == ["epoch", str(epochs)]:
                killed.send_signal(signal.SIGKILL)
                break
        killed.wait()
        killed.stdout.close()
    predicted, epochs = fit_here(tmp_path, resume_from=tmp_path)
    assert predicted == whole[0]
    assert 0 < len(epochs) < 12


def checkpointed(folder: object, **parameters: object) -> GuardedMLPClassifier:
    X, y = labels(200)
    return classifier(max_epochs=6, **parameters).fit(X, y, checkpoint=folder)


def test_i16_a_torn_checkpoint_is_passed_over_for_the_one_before(tmp_path):
    whole = checkpointed(tmp_path)
    newest = tmp_path / "checkpoint-0.safetensors"  # epoch 6
    newest.write_bytes(newest.read_bytes()[:-100])
    X, y = labels(200)
    model = classifier(max_epochs=6).fit(X, y, resume_from=tmp_path)
    assert codes(model) == ["R04"]
    assert model.predict_proba(X).tobytes() == whole.predict_proba(X).tobytes()
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(BadOption, match="no whole checkpoint"):
        classifier(max_epochs=6).fit(X, y, resume_from=tmp_path)


def test_i16_a_full_disk_costs_checkpoints_and_not_the_training(whole, tmp_path):
    predicted, folder = whole
    size = max(path.stat().st_size for path in folder.iterdir())
    code = """
        import resource, sys
        import numpy as np, tabbench
        full = (size // 2, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
        class FillsUp:
            def on_epoch_end(self, state):
                if state.epoch == 5: resource.setrlimit(resource.RLIMIT_FSIZE, full)
        rng = np.random.default_rng(0)
        X = rng.normal(size=(300, 4)); y = X[:, 0] * X[:, 1] > 0
        model = tabbench.GuardedMLPClassifier("fast", max_epochs=12, random_state=0, device="cpu", callbacks=[FillsUp()])
        model.fit(X, y, checkpoint=sys.argv[1])
        print(*{each.code for each in model.incidents_})
        print(model.predict_proba(X).tobytes().hex())
        """.replace("size // 2", str(size // 2)).replace("sys.argv[1]", repr(str(tmp_path)))
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["R04", predicted.hex()]
    again, epochs = fit_here(tmp_path, resume_from=tmp_path)
    assert again == predicted and epochs[0] == 5  # from the last one that was written, after the fourth epoch


def test_a_folder_that_cannot_be_written_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadOption, match="cannot be written to"):
        checkpointed(tmp_path / "file" / "folder")


def test_i16_a_checkpoint_of_other_rows_is_refused(tmp_path):
    checkpointed(tmp_path)
    X, y = labels(200, seed=5)
    with pytest.raises(BadOption, match="other rows, parameters"):
        classifier(max_epochs=6).fit(X, y, resume_from=tmp_path)
    with pytest.raises(BadOption, match="other rows, parameters"):
        classifier(max_epochs=6, l2=0.1).fit(*labels(200), resume_from=tmp_path)


def test_i18_an_optimiser_with_infinite_memory_is_mended(tmp_path):
    class Stop:
        def on_epoch_end(self, state: object) -> None:
            if state.epoch == 3:
                state.stop()

    X, y = labels(200)
    classifier(max_epochs=6, callbacks=[Stop()]).fit(X, y, checkpoint=tmp_path)
    path = tmp_path / "checkpoint-1.safetensors"
    body = path.read_bytes().partition(b"\n")[2]
    length = int.from_bytes(body[:8], "little")
    head = json.loads(json.loads(body[8:8 + length])["__metadata__"]["head"])
    tensors = load(body)
    tensors["second"][0, :5] = torch.inf
    write_checkpoint(tmp_path, Checkpoint(head["identity"], tensors, head["values"]))
    assert read_checkpoint(tmp_path, head["identity"]).checkpoint.values["epoch"] == 3
    model = classifier(max_epochs=6).fit(X, y, resume_from=tmp_path)
    assert "N03" in codes(model)
    assert np.isfinite(model.predict_proba(X)).all()


def test_i22_other_columns_at_prediction():
    X, y = labels()
    frame = pd.DataFrame(X, columns=list("abcde"))
    model = classifier(max_epochs=3).fit(frame, y)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[list("edcba")])
    with pytest.raises(ValueError, match="features"):
        classifier(max_epochs=3).fit(X, y).predict(X[:, :4])
    assert np.isfinite(model.predict_proba(frame.assign(a=np.nan))).all()
