# ruff: noqa: E501 (whole sentences)
"""Each kind of rule is said in one sentence that names what it speaks of, in English and in Chinese."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kgrank.errors import InputError
from kgrank.ontology.kinds.kind import LANGUAGES
from kgrank.ontology.kinds.table import rule_kinds
from kgrank.ontology.model import Condition, Ontology
from kgrank.ontology.read import read_ontology
from kgrank.ontology.sentences import sentence

ENGLISH = {
    "dress-order": "In Dresses, size matters more than color, and color matters more than neckline (90% sure).",
    "dress-color": "In Dresses, color is at least 15% of the decision (80% sure).",
    "dress-price": "In Evening dresses, price is at most 25% of the decision (70% sure).",
    "shoe-size": "In Shoes, size is about 30% of the decision, give or take 10% (75% sure).",
    "dress-material": "In Dresses except Evening dresses, material does not drive the choice (60% sure).",
    "run-light": "For Runners, in Running shoes, a lower weight is never worse (95% sure).",
    "evening-neck": "In Evening dresses, the preferred neckline is V-neck > Halter (65% sure).",
    "leather-wet": "In Shoes, where material is Leather, a missing waterproof is filled in: waterproof is no (85% sure).",
    "goretex-wet": "In Shoes, there is no item where material is Gore-Tex and waterproof is no (always).",
    "evening-like-dress": "In Evening dresses, color counts as in the category above, to 80% (70% sure).",
    "navy-black": "In Dresses, Navy and Black mean the same (55% sure).",
    "brand-cap": "In Apparel, no brand takes more than 40% of the first 10 places (always).",
}


@pytest.fixture(scope="module")
def example() -> Ontology:
    return read_ontology(Path(__file__).parent / "fashion_example")


def test_the_twelve_kinds_in_english(example: Ontology) -> None:
    assert {r.id: sentence(r, example) for r in example.rules.values()} == ENGLISH
    assert {r.kind for r in example.rules.values()} == set(rule_kinds())


def test_the_twelve_kinds_in_chinese(example: Ontology) -> None:
    said = {r.id: sentence(r, example, "zh") for r in example.rules.values()}
    assert said["dress-order"] == "在连衣裙中，尺码比颜色更重要，颜色比领型更重要（把握90%）。"
    assert said["run-light"] == "对跑者，在跑鞋中，重量越低越好，至少不会更差（把握95%）。"
    assert said["brand-cap"] == "在服饰中，在前10个位置中，任一品牌最多占40%（必须成立）。"
    assert len(set(said.values())) == 12
    assert all(s.endswith("。") for s in said.values())


def test_a_range_is_said_with_its_unit(example: Ontology) -> None:
    rule = example.rules["leather-wet"]
    for test, words in (
        (Condition("weight", None, 50.0, 300.0), "weight is from 50 g to 300 g"),
        (Condition("weight", None, 50.0, None), "weight is at least 50 g"),
        (Condition("weight", None, None, 300.5), "weight is at most 300.5 g"),
        (Condition("weight", 300.0), "weight is 300 g"),
        (Condition("waterproof", True), "waterproof is yes"),
    ):
        assert f"where {words}, a missing" in sentence(replace(rule, when=(test,)), example)


def test_one_brand_can_be_capped(example: Ontology) -> None:
    rule = replace(example.rules["brand-cap"], brand="aurora")
    assert "Aurora takes at most 40% of the first 10 places" in sentence(rule, example)
    assert "Aurora最多占40%" in sentence(rule, example, "zh")


def test_another_language_is_refused(example: Ontology) -> None:
    assert LANGUAGES == ("en", "zh")
    with pytest.raises(InputError, match="de"):
        sentence(example.rules["brand-cap"], example, "de")
