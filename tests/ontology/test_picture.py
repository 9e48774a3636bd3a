"""The picture: every category once, an arrow for each step of an order rule, names as XML."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.ontology.model import Ontology
from kgrank.ontology.picture import picture
from kgrank.ontology.read import read_ontology

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [t.text or "" for t in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def arrows(svg: str) -> list[ElementTree.Element]:
    return [p for p in ElementTree.fromstring(svg).iter(f"{SVG}path") if "order" in p.get("class", "")]


def test_every_category_and_every_step_of_an_order_is_drawn(fashion: Ontology) -> None:
    svg = picture(fashion)
    assert [t for t in texts(svg) if t in {c.name() for c in fashion.categories.values()}] == [
        c.name() for root in fashion.roots for c in _below(fashion, root)
    ]
    steps = sum(len(list(pairwise(r.order))) for r in fashion.rules.values())
    assert len(arrows(svg)) == steps


def _below(ontology: Ontology, top: str) -> list:  # type: ignore[type-arg]
    return [ontology.categories[top], *(c for k in ontology.children[top] for c in _below(ontology, k))]


def test_an_arrow_goes_from_left_to_right_and_says_its_rule(fashion: Ontology) -> None:
    for arrow in arrows(picture(fashion, "dresses")):
        start, end = arrow.get("d", "").removeprefix("M").split(" C")
        assert float(start.split()[0]) < float(end.split()[-2])
        assert arrow.findtext(f"{SVG}title") == "dress-order: 85% sure"


def test_a_branch_in_chinese(fashion: Ontology) -> None:
    assert texts(picture(fashion, "shoes", "zh"))[:2] == ["鞋", "运动鞋"]


def test_names_with_marks_of_xml_are_shown_as_they_are(example: Path) -> None:
    path = example / "categories.ttl"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"Dresses"@en', '"Dresses & <Robes>"@en'), encoding="utf-8"
    )
    assert "Dresses & <Robes>" in texts(picture(read_ontology(example)))


def test_the_command_writes_the_file(fashion_folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "tree.svg"
    result = CliRunner().invoke(app, ["ontology", "graph", str(fashion_folder), "--svg", str(target)])
    assert result.exit_code == 0
    assert target.read_text(encoding="utf-8").startswith("<svg ")
