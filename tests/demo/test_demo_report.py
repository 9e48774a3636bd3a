from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from command_line import run

from kgrank.demo.files import write
from kgrank.demo.report import compare
from kgrank.demo.shop import DemoShop
from kgrank.errors import InputError, WeightsError
from kgrank.ontology.model import Ontology
from kgrank.ontology.read import read_ontology
from kgrank.resources import folder
from kgrank.weights.artefact import write_weights
from kgrank.weights.model import AttributeWeight, CategoryWeights, LearnedWeights, RuleFinding

FINDING = RuleFinding(
    "tee-price", "In T-shirts, price has at most 10 %.", 0.7, 0.4, 0.0, 0.01, -4.0, "contradicted",
    "The data say 34 %.", 4000, 1500,
)  # fmt: skip


@pytest.fixture(scope="module")
def demo(shop: DemoShop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("demo") / "shop"
    write(shop, place)
    return place


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return read_ontology(folder("ontology") / "fashion")


def weights(truth: dict[str, Any], moved: float = 0.0, categories: int = 7) -> LearnedWeights:
    """Weights that are the truth, but for a share moved from price to color everywhere."""
    learned = {}
    for category in list(truth["importance"]["average_shopper"])[:categories]:
        shift = {"price": -moved, "color": moved}
        learned[category] = CategoryWeights(
            category,
            tuple(
                AttributeWeight(a, w, w - 0.02, w + 0.02, 7 * w, "all values", w, own)
                for a, w, own in (
                    (a, w + shift.get(a, 0.0), truth["importance"]["average_of_shoppers"][category][a])
                    for a, w in truth["importance"]["average_shopper"][category].items()
                )
            ),
            (),
            strength=7.0,
            choice_count=4000,
            person_count=1500,
            source="choices",
        )
    return LearnedWeights("v1", "2026-10-01", "0", "o", "g", learned, findings=(FINDING,))


def test_weights_that_are_the_truth_have_distance_zero(
    shop: DemoShop, demo: Path, ontology: Ontology
) -> None:
    found = compare(demo, weights(shop.truth), ontology)
    assert found.l1 == pytest.approx(0.0, abs=1e-9)
    assert found.l1_shoppers == pytest.approx(0.0, abs=1e-9)
    assert found.covered == 1.0


def test_a_share_moved_from_one_attribute_to_another_counts_twice(
    shop: DemoShop, demo: Path, ontology: Ontology
) -> None:
    found = compare(demo, weights(shop.truth, moved=0.05), ontology)
    assert [c.l1 for c in found.categories] == pytest.approx([0.1] * 7)
    assert found.l1 == pytest.approx(0.1)
    assert found.covered == pytest.approx(0.8)


def test_weights_of_another_shop_are_refused(shop: DemoShop, demo: Path, ontology: Ontology) -> None:
    with pytest.raises(WeightsError):
        compare(demo, weights(shop.truth, categories=3), ontology)


def test_the_report_shows_learned_truth_and_rules_and_ends_with_three_next_steps(
    shop: DemoShop, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_weights(tmp_path / "weights.json", weights(shop.truth, moved=0.02))
    assert run("demo", "report", demo, "--weights", tmp_path / "weights.json") == 0
    printed = capsys.readouterr().out
    for category in ("Dresses", "T-shirts", "Shirts", "Jackets", "Sneakers", "Boots", "Pumps"):
        assert category in printed
    assert re.search(r"mean\s+0\.040\s+0\.000", printed)
    assert "generated" in printed
    assert re.search(r"Price.*\n?.*≤", printed)
    assert "contradicted" in printed
    assert re.findall(r"^(\d)\. ", printed, flags=re.MULTILINE) == ["1", "2", "3"]


def test_the_report_as_json_has_plain_names(
    shop: DemoShop, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_weights(tmp_path / "weights.json", weights(shop.truth))
    assert run("demo", "report", demo, "--weights", tmp_path / "weights.json", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["generated"] is True
    assert document["l1"] == pytest.approx(0.0, abs=1e-9)
    assert len(document["categories"]) == 7


def test_the_chart_is_saved(shop: DemoShop, demo: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="charts need the extra `plots`")
    write_weights(tmp_path / "weights.json", weights(shop.truth))
    chart = tmp_path / "chart.png"
    assert run("demo", "report", demo, "--weights", tmp_path / "weights.json", "--chart", chart) == 0
    assert chart.read_bytes().startswith(b"\x89PNG")


def test_a_folder_without_a_demo_shop_is_one_clear_error(
    shop: DemoShop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_weights(tmp_path / "weights.json", weights(shop.truth))
    assert run("demo", "report", tmp_path / "none", "--weights", tmp_path / "weights.json") == 2
    message = capsys.readouterr().err
    assert "kgrank demo build" in message
    assert "Traceback" not in message


def test_a_damaged_truth_is_refused(shop: DemoShop, demo: Path, tmp_path: Path, ontology: Ontology) -> None:
    (tmp_path / "truth.json").write_text('{"generated": true', encoding="utf-8")
    with pytest.raises(InputError, match="truth"):
        compare(tmp_path, weights(shop.truth), ontology)
