"""``lint`` gives each kind of advice where it is due, and none on a tidy ontology; SARIF and own shapes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.ontology.check import examine
from kgrank.ontology.check.advice import advise

RUN = CliRunner()
CASES = [
    (
        "L501",
        "categories.ttl",
        '"Shoes"@en',
        '"Shoes "@en',
        '"Shoes " of shoes has spaces too many, or unusual ones',
    ),
    ("L502", "attributes.ttl", '"尺码"@zh', '"材质"@zh', 'material and size are both called "材质"'),
    ("L502", "attributes.ttl", '"Colour"@en', '"Fabric"@en', 'material and color are both called "Fabric"'),
]
MORE = """
a:fabric a kg:Attribute ; skos:notation "fabric" ; skos:prefLabel "Fabric stuff"@en , "料"@zh ;
    kg:type kg:Choice ; kg:values ( v:cotton v:wool v:silk v:linen v:leather v:polyester v:denim v:suede ) .
a:lining a kg:Attribute ; skos:notation "lining" ; skos:prefLabel "Lining"@en , "衬里"@zh ;
    kg:type kg:Choice ; kg:valuesOf a:material .
"""


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path, fashion_folder: Path) -> Path:
    for path in fashion_folder.glob("*.ttl"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def advice(folder: Path) -> list[str]:
    found = examine(folder)
    assert found.errors == []
    return [m.line_text() for m in advise(folder, found)]


def test_the_fashion_ontology_needs_none(fashion_folder: Path) -> None:
    assert advice(fashion_folder) == []


@pytest.mark.parametrize(("code", "file", "old", "new", "says"), CASES)
def test_names_that_clash_are_named(code: str, file: str, old: str, new: str, says: str, shop: Path) -> None:
    replaced(shop / file, old, new)
    lines = advice(shop)
    assert len(lines) == 1
    assert f"{file}:" in lines[0]
    assert f"{code} {says}" in lines[0]


def test_attributes_to_move_up_twins_and_equal_lists_are_named(shop: Path) -> None:
    with (shop / "attributes.ttl").open("a", encoding="utf-8") as file:
        file.write(MORE)
    for name in ("Sneakers", "Boots", "Pumps"):
        replaced(
            shop / "categories.ttl",
            f'"{name}"@en',
            f'"{name}"@en ; kg:allows a:lining , a:fabric ; skos:prefLabel "{name}"@de',
        )
    text = "\n".join(advice(shop))
    assert "L503 all 3 categories below shoes add lining, and shoes does not. Move it to shoes" in text
    assert "L504 boots has lining and material, which share their values. Drop material here." in text
    assert "L505 fabric and material have 8 of 8 values in common" in text
    assert "lining and material have" not in text


def test_the_command_refuses_errors_and_fails_only_when_strict(shop: Path) -> None:
    replaced(shop / "categories.ttl", '"Shoes"@en', '"Shoes "@en')
    assert RUN.invoke(app, ["ontology", "lint", str(shop)]).exit_code == 0
    strict = RUN.invoke(app, ["ontology", "lint", str(shop), "--strict", "--json"])
    assert strict.exit_code == 1
    assert json.loads(strict.output)["advice"][0]["code"] == "L501"


def test_sarif_names_the_file_the_line_and_the_rule(shop: Path, tmp_path: Path) -> None:
    replaced(shop / "categories.ttl", "kg:requires", "kg:requiers")
    target = tmp_path / "found.sarif"
    assert RUN.invoke(app, ["ontology", "check", str(shop), "--sarif", str(target)]).exit_code == 1
    run = json.loads(target.read_text(encoding="utf-8"))["runs"][0]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == f"{shop}/categories.ttl"
    assert place["region"] == {"startLine": 11, "startColumn": 5}
    assert (run["results"][0]["ruleId"], run["results"][0]["level"]) == ("O104", "error")
    assert [r["id"] for r in run["tool"]["driver"]["rules"]] == ["O104"]


def test_shapes_of_ones_own_run_beside_the_check(shop: Path, tmp_path: Path) -> None:
    shapes = tmp_path / "mine.shapes"
    shapes.write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix kg: <https://w3id.org/kgrank/ns#> .\n"
        "@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n"
        "<urn:s> a sh:NodeShape ; sh:targetClass kg:Brand ; sh:property <urn:p> .\n"
        '<urn:p> sh:path skos:notation ; sh:minCount 1 ; sh:message "A brand needs a code" .',
        encoding="utf-8",
    )
    result = RUN.invoke(app, ["ontology", "check", str(shop), "--shapes", str(shapes)])
    assert result.exit_code == 1
    assert "SHACL aurora: A brand needs a code" in result.output
