"""A saved model comes back bit by bit, or not at all and with a sentence."""

import hashlib
import io
import json
import pickle
import zipfile
from pathlib import Path

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabbench.core.errors import BadData, BadOption, TabbenchError
from tabbench.core.notation import Notation
from tabbench.core.parts import Parts
from tabbench.core.table import Column
from tabbench.core.task import Task
from tabbench.model import SavedModel, load_model, save_model

TASK = Task("binary", ("no", "yes"), "log_loss", ("log_loss", "auc"))
COLUMNS = (Column("age", "number", notation=Notation(",", ".", "kg", example="1.000,5 kg")),
           Column("</script>\ud800", "category", ("a", "ä")),
           Column("day", "date", date_format="%d.%m.%Y"))

FORMS = ["model", "model.tabbench"]
"""A folder and a single file."""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8)
array_types = st.sampled_from(["bool", "int8", "int64", "uint8", "uint64", "float16", "float32", "float64"])
arrays = array_types.flatmap(lambda name: npst.arrays(name, npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)))


def tree(children):
    return st.builds(Parts, st.dictionaries(st.text(), json_values, max_size=3), st.dictionaries(st.text(), arrays, max_size=3),
                     st.dictionaries(st.text(), st.binary(), max_size=2), st.dictionaries(st.text(), children, max_size=2))


parts_trees = st.recursive(tree(st.nothing()), tree, max_leaves=4)


def saved_model(model=None, **changes):
    model = model or Parts({"rounds": 3}, {"weights": np.arange(6.0).reshape(2, 3)}, {"booster": b"{}"})
    fields = {"approach": "linear", "version": 1, "task": TASK, "columns": COLUMNS, "view_name": "linear",
              "view": Parts({"kind": "linear"}), "model": model, "about": {"table": "people", "rows": 40}}
    return SavedModel(**(fields | changes))


def is_same(first, second):
    return (first.values == second.values and first.blobs == second.blobs
            and first.arrays.keys() == second.arrays.keys() and first.children.keys() == second.children.keys()
            and all((a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
                    for a, b in ((first.arrays[name], second.arrays[name]) for name in first.arrays))
            and all(is_same(first.children[name], second.children[name]) for name in first.children))


def is_same_model(first, second):
    facts = ("approach", "version", "task", "columns", "view_name", "about")
    return (all(getattr(first, fact) == getattr(second, fact) for fact in facts)
            and is_same(first.view, second.view) and is_same(first.model, second.model))


@pytest.mark.parametrize("form", FORMS)
@given(view=parts_trees, model=parts_trees)
@settings(max_examples=40, deadline=None)
def test_any_parts_come_back_bit_by_bit(tmp_path_factory, form, view, model):
    saved = saved_model(model, view=view)
    path = save_model(tmp_path_factory.mktemp("saved") / form, saved)
    assert is_same_model(load_model(path), saved)


def test_special_numbers_and_layouts_survive(tmp_path):
    given_arrays = {"nan": np.array([np.nan, -np.nan, -0.0, np.inf, 5e-324]), "scalar": np.array(7, dtype=np.uint8),
                    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "strided": np.arange(10)[::3],
                    "big_endian": np.array([1.5, 2.5], dtype=">f8")}
    loaded = load_model(save_model(tmp_path / "m", saved_model(Parts(arrays=given_arrays)))).model.arrays
    for name, array in given_arrays.items():
        assert loaded[name].shape == array.shape
        assert loaded[name].tobytes() == array.astype(array.dtype.newbyteorder("=")).tobytes()
        assert loaded[name].flags.writeable


@pytest.mark.parametrize("form", FORMS)
def test_same_model_gives_same_bytes_and_replaces_an_older_one(tmp_path, form):
    first, second = (save_model(tmp_path / folder / form, saved_model()) for folder in "ab")
    save_model(second, saved_model(Parts({"rounds": 4})))
    assert load_model(second).model.values == {"rounds": 4}
    save_model(second, saved_model())
    assert contents(first) == contents(second)
    assert not list(tmp_path.rglob(".tabbench-*"))


def contents(path):
    return {file.relative_to(path): file.read_bytes() for file in [path, *path.rglob("*")] if file.is_file()}


def test_both_forms_hold_the_same_members(tmp_path):
    folder, file = (save_model(tmp_path / form, saved_model()) for form in FORMS)
    with zipfile.ZipFile(file) as archive:
        members = {Path(name): archive.read(name) for name in archive.namelist()}
    assert members == contents(folder)
    assert set(members) == {Path("model.json"), Path("arrays.safetensors"), Path("blobs/000")}


@pytest.mark.parametrize("values", [{"a": float("nan")}, {"a": float("inf")}, {"a": np.int64(3)}, {"a": {1, 2}}])
def test_values_that_are_not_json_are_not_written(tmp_path, values):
    with pytest.raises(TabbenchError, match="not plain JSON"):
        save_model(tmp_path / "m", saved_model(Parts(values)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("array", [np.array([None]), np.array(["a"]), np.array([1j]), np.array(["2020-01-01"], "datetime64[D]")])
def test_arrays_that_are_not_numbers_are_not_written(tmp_path, array):
    with pytest.raises(TabbenchError, match="cannot be saved; use booleans, integers or floats"):
        save_model(tmp_path / "m", saved_model(Parts(arrays={"a": array})))


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("whole") / "m.tabbench", saved_model()).read_bytes()


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_file_is_refused_or_harmless(tmp_path_factory, whole_file, data):
    place = data.draw(st.integers(0, len(whole_file) - 1))
    damage = data.draw(st.sampled_from(["cut", "flip", "insert", "overwrite"]))
    damaged = {
        "cut": whole_file[:place],
        "flip": whole_file[:place] + bytes([whole_file[place] ^ (1 << data.draw(st.integers(0, 7)))]) + whole_file[place + 1:],
        "insert": whole_file[:place] + data.draw(st.binary(min_size=1, max_size=9)) + whole_file[place:],
        "overwrite": (whole_file[:place] + data.draw(st.binary(min_size=1, max_size=40)) + whole_file[place:])[:len(whole_file)],
    }[damage]
    path = tmp_path_factory.mktemp("damaged") / "m.tabbench"
    path.write_bytes(damaged)
    try:
        loaded = load_model(path)
    except BadData as error:
        assert "\n" not in str(error)
    else:
        assert is_same_model(loaded, saved_model())


@pytest.mark.parametrize("member", ["model.json", "arrays.safetensors", "blobs/000"])
def test_every_flipped_bit_and_lost_member_of_a_folder_is_noticed(tmp_path, member):
    file = save_model(tmp_path / "model", saved_model()) / member
    whole = file.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 150)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1:])
        try:
            loaded = load_model(tmp_path / "model")
        except BadData:
            continue
        assert is_same_model(loaded, saved_model())
        assert whole[place:place + 1].isspace(), "only the layout of the JSON may change unnoticed"
    file.unlink()
    with pytest.raises(BadData):
        load_model(tmp_path / "model")


def zipped(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(("content", "sentence"), [
    (b"", "not a tabbench model"),
    (b"age,income\n1,2\n", "not a tabbench model"),
    (pickle.dumps({"a": 1}), "is a pickle"),
    (zipped([("archive/data.pkl", b"")]), "holds 'archive/data.pkl'"),
    (zipped([("../../evil", b"x"), ("model.json", b"{}")]), "holds '../../evil'"),
    (zipped([("model.json", b"{}")]), "lacks model.json or arrays.safetensors"),
    (zipped([("model.json", b" " * 9_000_000), ("arrays.safetensors", b"")], zipfile.ZIP_DEFLATED), "packed by another program"),
    (zipped([("model.json", b"{}"), ("arrays.safetensors", b"")]), "damaged or incomplete"),
    (zipped([("model.json", b"[" * 100_000), ("arrays.safetensors", b"")]), "damaged or incomplete"),
    (zipped([("model.json", b'{"format": 1, "sha256": NaN}'), ("arrays.safetensors", b"")]), "damaged or incomplete"),
    (zipped([("model.json", b'{"format": 3}'), ("arrays.safetensors", b"")]),
     "model format 3 and this tabbench reads formats up to 2"),
    (zipped([("model.json", b'{"format": "1"}'), ("arrays.safetensors", b"")]), "no format number"),
])
def test_other_files_are_refused(tmp_path, content, sentence):
    path = tmp_path / "m.tabbench"
    path.write_bytes(content)
    with pytest.raises(BadData, match=sentence.replace(".", r"\.")):
        load_model(path)


def test_member_that_occurs_twice_is_refused(tmp_path):
    path = tmp_path / "m.tabbench"
    with pytest.warns(UserWarning, match="Duplicate name"):
        path.write_bytes(zipped([("model.json", b"{}"), ("model.json", b"{}")]))
    with pytest.raises(BadData, match="a member twice"):
        load_model(path)


def test_description_with_a_right_digest_but_wrong_content_is_refused(tmp_path):
    path = save_model(tmp_path / "model", saved_model())
    document = json.loads((path / "model.json").read_text())
    for change in ({"columns": None}, {"task": {"kind": "binary"}}, {"view": {"values": {}}}, {"model": {"arrays": {"a": 99}}}):
        rewrite(path / "model.json", document, change)
        with pytest.raises(BadData, match=r"damaged or (incomplete|was changed)"):
            load_model(path)


def rewrite(path, document, change):
    content = document["content"] | change
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    path.write_text(json.dumps(document | {"content": content, "sha256": hashlib.sha256(canonical).hexdigest()}))


@pytest.mark.parametrize("name", ["m.pkl", "m.joblib", "m.PT", "m.pickle"])
def test_names_of_pickles_are_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    for action in (load_model, lambda path: save_model(path, saved_model())):
        with pytest.raises(BadOption, match="named like a pickle"):
            action(tmp_path / name)


def test_what_is_no_model_is_left_alone(tmp_path):
    folder, file = tmp_path / "thesis", tmp_path / "notes.txt"
    folder.mkdir()
    (folder / "chapter1").write_text("years of work")
    file.write_text("mine")
    for path in (folder, file):
        with pytest.raises(BadOption, match="so it is left alone; name another place"):
            save_model(path, saved_model())
    assert contents(folder) == {Path("chapter1"): b"years of work"}
    assert file.read_text() == "mine"


def test_a_note_beside_the_members_is_not_lost(tmp_path):
    path = save_model(tmp_path / "model", saved_model())
    (path / "blobs" / "notes.md").write_text("mine")
    assert is_same_model(load_model(path), saved_model())
    with pytest.raises(BadOption, match=r"holds blobs/notes\.md, which is no part of a tabbench model"):
        save_model(path, saved_model())
    assert (path / "blobs" / "notes.md").read_text() == "mine"


def test_places_without_a_model_are_named(tmp_path):
    with pytest.raises(BadData, match="there is no model at"):
        load_model(tmp_path / "nothing")
    save_model(tmp_path / "run" / "winner", saved_model())
    with pytest.raises(BadData, match=r"did you mean .*winner"):
        load_model(tmp_path / "run")
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "model", tmp_path / ("long" * 100)):
        with pytest.raises(BadOption, match="cannot be written"):
            save_model(path, saved_model())
    with pytest.raises(BadData, match="cannot be read"):
        load_model(tmp_path / ("long" * 100))


def test_an_empty_folder_and_missing_parents_are_filled(tmp_path):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "new" / "deep.tabbench"):
        assert is_same_model(load_model(save_model(path, saved_model())), saved_model())


def test_a_file_of_format_1_is_read_and_its_unit_is_not_known(tmp_path):
    path = save_model(tmp_path / "m", saved_model(columns=(Column("price", "number", notation=Notation(",", unit="$")),)))
    document = json.loads((path / "model.json").read_text())
    column = document["content"]["columns"][0]
    column["decimal_comma"] = column.pop("notation")["decimal"] == ","
    document["format"] = 1
    content = json.dumps(document["content"], sort_keys=True, separators=(",", ":"))
    document["sha256"] = hashlib.sha256(content.encode()).hexdigest()
    (path / "model.json").write_text(json.dumps(document))
    assert load_model(path).columns == (Column("price", "number", notation=Notation(",", unit=None)),)
