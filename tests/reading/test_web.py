"""A table at an address is downloaded once, checked, and refused in one sentence where something is wrong."""

import hashlib

import openml_server
import pytest

from tabbench.core.errors import BadData, BadOption
from tabbench.reading import downloading
from tabbench.reading.locating import locate
from tabbench.reading.reading import read_table

CONTENT = b"a,y\n" + b"".join(b"%d,%d.5\n" % (number % 13, number % 7) for number in range(60))
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with openml_server.serving() as answers:
        answers["/tables/cars.csv?version=2"] = CONTENT
        yield answers


@pytest.fixture
def address(site):
    return f"{site.address}/tables/cars.csv?version=2"


def test_table_is_downloaded_once(site, address):
    paths = [locate(address).data for _ in range(3)]
    assert site.asked == ["/tables/cars.csv?version=2"]
    assert paths[0].read_bytes() == CONTENT
    table = read_table(paths[0])
    assert (table.name, len(table), table.target_name) == ("cars", 60, "y")


def test_checksum_is_checked_also_of_what_was_kept(address):
    assert locate(f"{address}#sha256={SHA256}").data.name == "cars.csv"
    other = "0" * 64
    with pytest.raises(BadData, match=f"its sha256 is {SHA256}, not {other}"):
        locate(f"{address}#sha256={other}")
    with pytest.raises(BadOption, match="write #sha256= and 64 hexadecimal digits"):
        locate(f"{address}#md5=1")


def test_what_the_server_does_not_have_is_one_sentence_and_leaves_no_file(site, tmp_path):
    with pytest.raises(BadData, match="the server answers with HTTP status 412; check the address"):
        locate(f"{site.address}/tables/bikes.csv")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_too_much_is_not_downloaded(address, tmp_path):
    with pytest.raises(BadData, match="holds more than 50 bytes"):
        downloading.download(address, tmp_path / "part", cure="", most_bytes=50)


def test_a_text_that_is_too_long_for_a_file_is_no_fault(site):
    site["/" + "x" * 300 + ".csv"] = CONTENT
    assert locate(f"{site.address}/{'x' * 300}.csv").data.name.endswith("x.csv")
    assert locate("y" * 300) is None


@pytest.mark.parametrize("address", ["http://example.org/a.csv", "http://127.0.0.1.example.org/a.csv", "https:///a.csv", "https://[",
                                     "http:a"])
def test_addresses_that_are_not_safe_are_refused(site, address):
    with pytest.raises(BadData, match="is no address that begins with https://"):
        locate(address)
    assert not site.asked
