# ruff: noqa: E501 (the edits are lines of Turtle)
"""The difference of two versions in words, and what becomes of every weight."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.errors import InputError
from kgrank.ontology.diff import Difference, difference
from kgrank.ontology.effect import Effect, cells
from kgrank.ontology.read import read_ontology
from kgrank.ontology.versions import read_versions

RUN = CliRunner()
REPLACED = " ; <http://www.w3.org/2002/07/owl#deprecated> true ; <http://purl.org/dc/terms/isReplacedBy> "


@pytest.fixture
def shop(tmp_path: Path, fashion_folder: Path) -> Path:
    return Path(shutil.copytree(fashion_folder, tmp_path / "shop"))


def compared(fashion_folder: Path, shop: Path, *edits: tuple[str, str, str]) -> Difference:
    for file, old, new in edits:
        path = shop / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return difference(*read_versions(str(fashion_folder), str(shop)))


def lines(found: Difference) -> list[str]:
    return [c.line() for c in found.changes]


def old_cells(found: Effect) -> int:
    groups = (found.kept, found.renamed, found.rescaled, found.prior, found.stale, found.gone)
    return sum(map(len, groups))


def test_names_and_reasons_leave_the_weights_alone(fashion_folder: Path, shop: Path) -> None:
    found = compared(
        fashion_folder,
        shop,
        ("categories.ttl", '"Shoes"@en', '"Footwear"@en'),
        ("rules.ttl", "Shoppers filter by style and color first", "Shoppers filter by style first"),
    )
    assert lines(found) == [
        "~ category shoes (Footwear): name en Shoes → Footwear",
        "~ rule dress-order: reason en Shoppers filter by style and color first (search logs, week 36). → "
        "Shoppers filter by style first (search logs, week 36). (means the same)",
    ]
    assert len(found.weights.kept) == old_cells(found.weights)


def test_a_renamed_attribute_takes_its_weights_along(fashion_folder: Path, shop: Path) -> None:
    new = 'a:sole a kg:Attribute ; skos:notation "sole" ; skos:prefLabel "Sole"@en , "底"@zh ; kg:type kg:Text .\n'
    found = compared(
        fashion_folder,
        shop,
        ("attributes.ttl", "a:care a kg:Attribute", f"{new}\na:care a kg:Attribute"),
        ("attributes.ttl", "v:machine-wash v:hand-wash v:dry-clean )", f"v:machine-wash v:hand-wash v:dry-clean ){REPLACED}a:upkeep"),
        ("attributes.ttl", "a:sole a kg", 'a:upkeep a kg:Attribute ; skos:notation "upkeep" ; skos:prefLabel "Upkeep"@en ;\n'
         "  kg:type kg:Choice ; kg:values ( v:machine-wash v:hand-wash v:dry-clean ) .\na:sole a kg"),
        ("categories.ttl", "kg:recommends a:care , a:fit", "kg:recommends a:upkeep , a:fit"),
        ("rules.ttl", "kg:attribute a:care ;\n    kg:sure", "kg:attribute a:upkeep ;\n    kg:sure"),
        ("rules.ttl", "kg:attribute a:care ; kg:value v:hand-wash", "kg:attribute a:upkeep ; kg:value v:hand-wash"),
        ("rules.ttl", "kg:attribute a:care ; kg:value v:machine-wash", "kg:attribute a:upkeep ; kg:value v:machine-wash"),
    )  # fmt: skip
    assert "> attribute care (Care): replaced by upkeep" in lines(found)
    assert found.weights.renamed["dresses", "care"] == ("dresses", "upkeep")
    assert len(found.weights.renamed) == 11
    assert found.weights.gone == ()
    assert ("dresses", "upkeep") not in found.weights.new


def test_a_convertible_unit_rescales_and_another_makes_stale(fashion_folder: Path, shop: Path) -> None:
    found = compared(
        fashion_folder,
        shop,
        ("attributes.ttl", 'kg:unit "mm" ;\n    kg:min 0 ;\n    kg:max 120', 'kg:unit "cm"'),
    )
    assert lines(found) == [
        "! attribute heel (Heel): unit mm → cm, min 0 → none, max 120 → none: its weights mean something else now"
    ]
    assert found.weights.rescaled["pumps", "heel"] == pytest.approx(0.1)
    found = compared(fashion_folder, shop, ("attributes.ttl", 'kg:unit "EUR"', 'kg:unit "USD"'))
    assert ("dresses", "price") in found.weights.stale


def test_a_moved_category_makes_its_branch_stale(fashion_folder: Path, shop: Path) -> None:
    found = compared(
        fashion_folder,
        shop,
        ("categories.ttl", '"T恤"@zh ;\n    skos:altLabel "Tees"@en ;\n    skos:broader c:tops',
         '"T恤"@zh ;\n    skos:altLabel "Tees"@en ;\n    skos:broader c:clothing'),
    )  # fmt: skip
    assert {c for c, _ in found.weights.stale} == {"t-shirts"}
    assert "~ category t-shirts (T-shirts): parent tops → clothing" in lines(found)


def test_a_changed_rule_marks_what_it_speaks_of(fashion_folder: Path, shop: Path) -> None:
    found = compared(fashion_folder, shop, ("rules.ttl", "kg:share 0.2 ;", "kg:share 0.25 ;"))
    assert found.weights.prior == (("sneakers", "price"),)
    assert lines(found) == ["~ rule sneaker-price: share 0.2 → 0.25"]


def test_added_and_dropped_attributes_are_new_and_gone(fashion_folder: Path, shop: Path) -> None:
    found = compared(
        fashion_folder,
        shop,
        ("categories.ttl", "kg:recommends a:sleeve", "kg:recommends a:heel"),
        ("categories.ttl", "    kg:recommends a:heel ;\n    kg:narrows [ kg:attribute a:material ; kg:values ( v:cotton v:leather",
         "    kg:recommends a:sleeve , a:heel ;\n    kg:narrows [ kg:attribute a:material ; kg:values ( v:cotton v:leather"),
    )  # fmt: skip
    assert ("dresses", "sleeve") in found.weights.gone
    assert ("dresses", "heel") in found.weights.new
    assert ("shoes", "sleeve") in found.weights.new


def test_the_cells_of_the_old_version_add_up(example: Path, fashion_folder: Path, shop: Path) -> None:
    for a, b in ((fashion_folder, example), (example, fashion_folder), (shop, example)):
        old, new = read_versions(str(a), str(b))
        found = difference(old, new).weights
        assert old_cells(found) == len(list(cells(old)))
        assert set(found.new) == set(cells(new)) - set(cells(old)) - set(found.renamed.values())


def test_strict_fails_where_a_thing_was_taken_out_and_json_says_which(
    fashion_folder: Path, shop: Path
) -> None:
    path = shop / "categories.ttl"
    text = path.read_text(encoding="utf-8")
    start = text.index("c:boots a")
    path.write_text(text[:start] + text[text.index("c:pumps a") :], encoding="utf-8")
    arguments = ["ontology", "diff", str(fashion_folder), str(shop)]
    assert RUN.invoke(app, arguments).exit_code == 0
    result = RUN.invoke(app, [*arguments, "--strict", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.output)["removals"] == ["boots"]
    assert RUN.invoke(app, [*arguments[:2], str(shop), str(fashion_folder), "--strict"]).exit_code == 0


def test_a_git_revision_is_a_version(tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (
        ["init", "-q"],
        ["add", "shop"],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], check=True)
    path = shop / "rules.ttl"
    path.write_text(
        path.read_text(encoding="utf-8").replace("kg:share 0.2 ;", "kg:share 0.3 ;"), encoding="utf-8"
    )
    result = RUN.invoke(app, ["ontology", "diff", "HEAD:shop", "shop"])
    assert result.output.startswith("~ rule sneaker-price: share 0.2 → 0.3\nweights:\n")
    with pytest.raises(InputError, match="git says"):
        read_versions("HEAD~9:shop", "shop")
    with pytest.raises(InputError, match="no such folder"):
        read_versions("shpo")


def test_a_version_with_an_error_is_refused_with_its_place(fashion_folder: Path, shop: Path) -> None:
    path = shop / "rules.ttl"
    path.write_text(
        path.read_text(encoding="utf-8").replace("kg:sure 0.8 ", "kg:sure 80 ", 1), encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"shop/rules\.ttl:\d+:\d+: R405"):
        read_versions(str(fashion_folder), str(shop))
    assert read_ontology(fashion_folder)
