from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from kgrank.errors import InputError
from kgrank.ontology.model import Attribute, AttributeType, Category, Need, Ontology, Rule
from kgrank.plots import audit_plot, importance_plot, score_plot
from kgrank.ranking import Contribution, RankedItem
from kgrank.weights.model import AttributeWeight, CategoryWeights, LearnedWeights, RuleFinding

ONTOLOGY = Ontology(
    version="1",
    categories={
        "shoes": Category(
            "shoes", names={"en": "Shoes", "zh": "鞋"}, uses={"price": Need.REQUIRED, "color": Need.REQUIRED}
        )
    },
    attributes={
        "price": Attribute("price", names={"en": "Price"}, type=AttributeType.NUMBER),
        "color": Attribute("color", names={"en": "Color"}),
    },
    rules={
        "floor": Rule("floor", "AtLeast", ("shoes",), 0.9, attribute="price", share=0.3),
        "cheap": Rule("cheap", "Monotone", ("shoes",), 0.9, attribute="price", better="Less"),
    },
)

WEIGHTS = LearnedWeights(
    version="v1",
    created="2026-01-01",
    code="0.1.0",
    ontology=ONTOLOGY.fingerprint,
    graph="g",
    categories={
        "shoes": CategoryWeights(
            category="shoes",
            attributes=(
                AttributeWeight("color", 0.4, 0.35, 0.47, 1.0, "range", 0.4, shoppers=0.45),
                AttributeWeight("price", 0.6, 0.5, 0.7, 1.5, "range", 0.6),
            ),
            utilities=(),
            strength=2.5,
            choice_count=10,
            person_count=5,
            source="choices",
        )
    },
)

ITEM = RankedItem(
    position=1,
    item="i1",
    title="红色连衣裙",
    score=0.75,
    contributions=(
        Contribution("price", "attribute", 1.0, "40.0", "Price: 40 EUR"),
        Contribution("color", "attribute", -0.25, "red", "Color: Red"),
        Contribution("brand", "attribute", 0.0, None, "Brand: unknown"),
    ),
)


def test_importance_is_drawn_most_important_first_with_intervals_rules_and_truth(tmp_path: Path) -> None:
    figure = importance_plot(
        WEIGHTS, "shoes", ONTOLOGY, truth={"price": 0.55, "color": 0.45}, path=tmp_path / "chart.png"
    )
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "What decides in Shoes"
    assert [t.get_text() for t in axes.get_yticklabels()] == ["Price", "Color"]
    learned, band = axes.containers[0], axes.containers[2]
    assert [bar.get_width() for bar in learned] == [0.6, 0.4]
    assert [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in band] == [(0.3, axes.get_xlim()[1])]
    assert "less is better" in [t.get_text() for t in axes.texts]
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert legend == ["learned share", "95 % interval", "average of shoppers", "what a rule allows", "truth"]
    with Image.open(tmp_path / "chart.png") as chart:
        assert chart.width > 1000


def test_importance_without_an_ontology_goes_by_ids() -> None:
    (axes,) = importance_plot(WEIGHTS, "shoes").axes
    assert [t.get_text() for t in axes.get_yticklabels()] == ["price", "color"]


def test_a_score_is_opened_up_from_nothing_to_its_sum(tmp_path: Path) -> None:
    (axes,) = score_plot(ITEM, tmp_path / "score.svg").axes
    bars = [(bar.get_x(), bar.get_width()) for container in axes.containers for bar in container]
    assert bars == [(0.0, 1.0), (1.0, -0.25), (0.0, 0.75)]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["Price: 40 EUR", "Color: Red", "score"]
    assert [t.get_text() for t in axes.texts] == ["+1.00", "-0.25", "+0.75"]
    assert (tmp_path / "score.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_chinese_labels_give_way_where_no_font_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kgrank.plots._chinese_font", lambda: None)
    (axes,) = score_plot(ITEM).axes
    assert axes.get_title(loc="left") == "i1: how the score adds up"
    (axes,) = importance_plot(WEIGHTS, "shoes", ONTOLOGY, language="zh").axes
    assert axes.get_title(loc="left") == "What decides in Shoes"


def test_a_chart_in_chinese_without_a_font_is_in_english_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finding = RuleFinding(
        "cheap", "Cheaper is better.", 0.9, 0.5, 0.99, 0.99, 4.6, "supported", "so it is", 90, 30
    )
    monkeypatch.setattr("kgrank.plots._chinese_font", lambda: None)
    figure = audit_plot((finding, finding), language="zh")
    assert figure.axes[0].get_title(loc="left") == "Rules against the data"
    assert figure.get_supxlabel().startswith("No font with Chinese characters")
    assert audit_plot((finding,)).get_supxlabel() == ""
    monkeypatch.setattr("kgrank.plots._chinese_font", lambda: "Noto Sans CJK SC")
    figure = audit_plot((finding,), language="zh")
    assert figure.axes[0].get_title(loc="left") == "规则与数据"
    assert figure.get_supxlabel() == ""


def test_an_unknown_category_and_an_unwritable_path_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no category 'shoe'. Did you mean shoes\?"):
        importance_plot(WEIGHTS, "shoe", ONTOLOGY)
    for path in (tmp_path / "no" / "chart.png", tmp_path / "chart.docx"):
        with pytest.raises(InputError, match=r"cannot be (saved|written)"):
            score_plot(ITEM, path)


def test_without_matplotlib_the_error_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['matplotlib.figure'] = None\n"
        "from kgrank.errors import InputError\n"
        "from kgrank.plots import score_plot\n"
        "from kgrank.ranking import RankedItem\n"
        "try: score_plot(RankedItem(1, 'i', '', 0.0, ()))\n"
        "except InputError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip().endswith("Install it: pip install 'kgrank[plots]'")
