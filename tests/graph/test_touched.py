"""A change of the ontology comes with the number of items that it touches, on either store."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.graph.build import build_graph
from kgrank.graph.store import GraphStore
from kgrank.graph.sync import load
from kgrank.graph.touched import item_counts
from kgrank.ingest.clean import ingest
from kgrank.ontology.diff import difference
from kgrank.ontology.model import Ontology
from kgrank.ontology.read import read_ontology
from kgrank.resources import folder

ITEMS = """id,category,brand,color,price,heel
i1,dresses,aurora,red,40,
i2,dresses,aurora,navy,60,
i3,boots,urbano,red,90,30
i4,pumps,urbano,black,90,80
"""
EDITS = (
    ("attributes.ttl", 'kg:unit "mm"', 'kg:unit "cm"'),
    ("values.ttl", '"Red"@en', '"Bright red"@en'),
    ("categories.ttl", '"Shoes"@en', '"Footwear"@en'),
    ("rules.ttl", "kg:in c:pumps", "kg:in c:boots"),
    ("ontology.ttl", '"Urbano"@en', '"Urbano!"@en'),
    ("ontology.ttl", '"Shoes lead"@en', '"Lead of shoes"@en'),
)


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """The fashion ontology, an edited copy, and a folder of four items."""
    home = tmp_path_factory.mktemp("touched")
    old = Path(shutil.copytree(folder("ontology") / "fashion", home / "old"))
    new = Path(shutil.copytree(old, home / "new"))
    for file, before, after in EDITS:
        text = (new / file).read_text(encoding="utf-8")
        assert before in text
        (new / file).write_text(text.replace(before, after, 1), encoding="utf-8")
    (home / "data").mkdir()
    (home / "data" / "items.csv").write_text(ITEMS, encoding="utf-8")
    return old, new, home / "data"


def test_items_are_counted_below_a_category_and_by_attribute_value_and_brand(
    store: GraphStore, versions: tuple[Path, Path, Path]
) -> None:
    old, new = (read_ontology(v) for v in versions[:2])
    load(store, build_graph(ingest(versions[2], ontology=old)))
    assert counts(store, old, new) == {
        "shoes": 2,
        "heel": 2,
        "red": 2,
        "urbano": 2,
        "shoes-lead": None,
        "pump-heel": 2,
    }


def counts(store: GraphStore, old: Ontology, new: Ontology) -> dict[str, int | None]:
    held = item_counts(store)
    return {c.id: held.touched(c, old, new) for c in difference(old, new).changes}


def test_diff_says_the_number_behind_each_change(versions: tuple[Path, Path, Path], tmp_path: Path) -> None:
    old, new, data = map(str, versions)
    store = str(tmp_path / "shop.lb")
    assert CliRunner().invoke(app, ["load", data, "--ontology", old, "--store", store]).exit_code == 0
    command = ["ontology", "diff", old, new, "--store", store]
    lines = CliRunner().invoke(app, command).output.splitlines()
    assert lines[0] == "~ category shoes (Footwear): name en Shoes → Footwear (2 items)"
    told = json.loads(CliRunner().invoke(app, [*command, "--json"]).output)
    assert {c["id"]: c["items"] for c in told["changes"]}["heel"] == 2
