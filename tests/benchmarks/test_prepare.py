"""Public data sets are prepared from what was published: checked, whole or not at all, and as they are read."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from benchmarks import prepare
from benchmarks.conversions import CONVERSIONS
from benchmarks.data_sets import checksum, data_folder, data_set, data_sets, is_there
from benchmarks.downloads import Download, find
from kgrank.errors import InputError
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import read_mapping

pytest.importorskip("rdata", reason="files of R need the extra bench")

from published import CAMERAS, PUBLISHED, cameras

ROOT = Path(__file__).parents[2]
MAPPINGS = ROOT / "configs" / "mappings"
WHOLE = (
    "amazon_beauty",
    "amazon_cellphones",
    "amazon_hin",
    "choice_camera",
    "choice_pizza",
    "choice_scanner",
)
"""Sets whose made-up files have all columns that are loaded."""


def run(*words: object, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(ROOT / "benchmarks" / "prepare.py"), *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, env=dict(environment or {}) or None)


def write(files: Mapping[str, bytes], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_every_set_has_a_conversion_and_a_made_up_publication() -> None:
    assert set(data_sets()) == set(CONVERSIONS) == set(PUBLISHED)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_a_published_set_is_converted_into_the_files_that_are_read(name: str, tmp_path: Path) -> None:
    given = write(PUBLISHED[name](), tmp_path / "given")
    written = prepare.prepared(name, [given], any_version=True)
    assert set(data_set(name).files) <= set(written)
    prepare.write(tmp_path / name, written)
    if name in WHOLE:
        assert len(ingest(tmp_path / name, mapping=read_mapping(MAPPINGS / f"{name}.yaml")).items) > 0


def test_a_person_s_cameras_come_one_row_an_alternative() -> None:
    rows = CONVERSIONS["choice_camera"](cameras())["camera.csv"].decode().splitlines()
    assert rows[0] == (
        "respondent,task,alt,chosen,canon,sony,nikon,panasonic,pixels,zoom,video,swivel,wifi,price"
    )
    assert len(rows) == 1 + 2 * 8 * len(CAMERAS)
    assert rows[5] == "1,1,5,0,0,0,0,0,0,0,0,0,0,0" or rows[5] == "1,1,5,1,0,0,0,0,0,0,0,0,0,0"
    table = pl.read_csv("\n".join(rows).encode())
    assert table.group_by("respondent", "task").agg(pl.col("chosen").sum())["chosen"].to_list() == [1] * 16


def test_purchases_come_one_row_a_brand_with_prices_as_they_were_meant() -> None:
    written = CONVERSIONS["choice_scanner"](PUBLISHED["choice_scanner"]())
    assert written["yogurt.csv"].decode().splitlines() == [
        "category,household,obs,brand,chosen,price,display,feature",
        "yogurt,1,1,yoplait,0,10.8,,0",
        "yogurt,1,1,dannon,1,10.3,,0",
        "yogurt,1,2,yoplait,1,8.1,,1",
        "yogurt,1,2,dannon,0,8.1,,1",
    ]
    assert written["cracker.csv"].decode().splitlines()[1] == "cracker,7,1,yoplait,0,98.0,1,0"
    assert written["margarine_wide.csv"].decode().splitlines()[1].startswith("21,1,0.66,")


def test_ids_get_the_names_of_the_other_publication_where_nothing_else_fits() -> None:
    items = pl.read_csv(CONVERSIONS["amazon_beauty"](PUBLISHED["amazon_beauty"]())["items.csv"])
    assert items["brand"].to_list() == [None, *["Seven®"] * 5, *["Nine & Co"] * 6]
    assert items["category_path"].to_list()[:2] == ["Nails", "Nails"]
    # One item has no brand in either, so it is known which one it is.
    assert items["asin_if_unique"].to_list() == ["A5", *[None] * 11]
    assert items["n_interactions"].to_list() == [1, 2, 1, *[0] * 8, 1]


def test_publications_of_different_items_are_refused() -> None:
    files = dict(PUBLISHED["amazon_beauty"]())
    files["Beauty_item2attributes.json"] = json.dumps({n: [1] for n in range(1, 4)}).encode()
    with pytest.raises(InputError, match="no counterpart"):
        CONVERSIONS["amazon_beauty"](files)


def test_products_get_their_names_and_pairs_come_once() -> None:
    written = CONVERSIONS["amazon_cellphones"](PUBLISHED["amazon_cellphones"]())
    assert written["items.csv"].decode().splitlines() == [
        "asin,brand,categories,query_topics,n_train",
        "P1,Sam & Son,Phones|Cases,a case|a phone,2",
        "P2,,Phones,a phone,0",
    ]
    assert written["train.csv"].decode().splitlines() == ["user_id,asin", "A,P1", "U_2,P1"]


def test_a_taxonomy_comes_with_full_names_and_names_of_values() -> None:
    written = CONVERSIONS["shopify_taxonomy"](PUBLISHED["shopify_taxonomy"]())
    categories, attributes = (json.loads(written[f"{n}.json"]) for n in ("categories", "attributes"))
    assert [(c["parent"], c["full_name"]) for c in categories] == [
        (None, "Apparel"),
        ("aa", "Apparel > Coats"),
    ]
    assert [(a["kind"], a["values"], a["values_from"]) for a in attributes] == [
        ("base", ["Black"], None),
        ("extended", [], "color"),
    ]


def test_an_empty_cell_stays_empty_and_numbers_stay_text() -> None:
    content = CONVERSIONS["tafeng"](PUBLISHED["tafeng"]())["ta_feng.parquet"]
    assert pl.read_parquet(content).rows() == [("007", "25-29", "2"), ("008", None, "1")]


def test_the_reference_of_importance_is_computed_from_the_data(tmp_path: Path) -> None:
    written = prepare.prepared("choice_camera", [write(cameras(), tmp_path)], any_version=True)
    shares = json.loads(written["mnl_reference_camera.json"])["importance"]
    assert set(shares) == {"brand", "pixels", "zoom", "video", "swivel", "wifi", "price"}
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("form", ["folder", "file", "tar.gz", "zip"])
def test_files_are_found_in_archives_folders_and_alone(form: str, tmp_path: Path) -> None:
    folder = write({"camera.RData": b"x"}, tmp_path / "bayesm" / "data")
    write({"camera.RData": b"not this one"}, tmp_path / "bayesm" / "old")
    path = tmp_path / f"bayesm.{form}"
    if form == "folder":
        path = tmp_path / "bayesm"
    elif form == "file":
        path = folder / "camera.RData"
    elif form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(folder / "camera.RData", "bayesm/data/camera.RData")
    else:
        with tarfile.open(path, "w:gz") as tar:
            tar.add(tmp_path / "bayesm", "bayesm")
    ((download, name),) = find("data/camera.RData", [Download(path)])
    assert download.read(name) == b"x"


def test_another_version_is_refused_with_both_checksums_and_taken_when_asked(tmp_path: Path) -> None:
    given, into = write(PUBLISHED["choice_cars"](), tmp_path / "given"), tmp_path / "choice_cars"
    refused = run("choice_cars", "--from", given, "--to", into)
    assert refused.returncode == 2
    name, expected = next(iter(data_set("choice_cars").sources[0].files.items()))
    assert expected in refused.stderr
    assert checksum(name, (given / Path(name).name).read_bytes()) in refused.stderr
    assert "--any-version" in refused.stderr
    assert not into.exists()
    taken = run("choice_cars", "--from", given, "--to", into, "--any-version")
    assert taken.returncode == 0, taken.stderr
    assert "warning" in taken.stderr
    assert (into / "cars_us.csv").read_bytes() == b"id,choice\n1,0\n1,1\n"
    checked = run("choice_cars", "--check", into)
    assert checked.returncode == 1
    assert "cars_us.csv: " in checked.stdout


def test_a_folder_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    given = write(PUBLISHED["choice_cars"](), tmp_path / "given")
    into = write({"mine.txt": b"mine"}, tmp_path / "choice_cars")
    done = run("choice_cars", "--from", given, "--to", into, "--any-version")
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert [p.name for p in into.iterdir()] == ["mine.txt"]


def test_what_cannot_be_written_whole_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        prepare.write(tmp_path / "set", {"a.csv": b"a", "no/such/b.csv": b"b"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "no data set is named"),
        (["choice_camra"], "there is no data set 'choice_camra'"),
        (["choice_camera", "--to", "x"], "bayesm 3.1-6"),
        (["choice_camera", "--from", "nowhere.tar.gz", "--to", "x"], "nowhere.tar.gz: there is no such file"),
        (["choice_camera", "--from", "."], "no folder to write is named"),
        (["choice_camera", "--from", ".", "--to", "x"], "data/camera.RData is not in ."),
        (["choice_camera", "--check"], "KGRANK_DATA is not set"),
    ],
)
def test_a_mistake_is_one_line(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KGRANK_DATA", raising=False)
    done = run(*words)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_damaged_archive_is_one_line(tmp_path: Path) -> None:
    archive = tmp_path / "bayesm_3.1-6.tar.gz"
    archive.write_bytes(gzip.compress(b"not a tar file"))
    done = run("choice_camera", "--from", archive, "--to", tmp_path / "x")
    assert done.returncode == 2
    assert "cannot be read" in done.stderr


def test_a_set_is_found_by_its_name_or_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(dict.fromkeys(data_set("choice_yogurt").files, b""), tmp_path / "choice_yogurt")
    monkeypatch.setenv("KGRANK_DATA", str(tmp_path))
    assert data_folder("choice_yogurt") == data_folder(str(folder)) == folder
    assert is_there("choice_yogurt")
    assert not is_there("choice_camera")
    (folder / "yogurt.csv").unlink()
    with pytest.raises(InputError, match=r"yogurt.csv is missing.*prepare.py choice_yogurt"):
        data_folder("choice_yogurt")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.data(n)) for n in sorted(PUBLISHED)])
def test_a_set_that_is_here_is_the_one_of_the_checksums(name: str) -> None:
    assert prepare.check(data_folder(name), data_set(name))
