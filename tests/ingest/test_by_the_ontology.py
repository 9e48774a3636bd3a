"""What the ontology does to a catalogue: words, units, ranges, rules."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from small_shop import Shop

from kgrank.ingest.clean import Clean, ingest
from kgrank.ontology.model import (
    Attribute,
    AttributeType,
    Category,
    Condition,
    Narrowing,
    Need,
    Ontology,
    Rule,
    Term,
)

ONTOLOGY = Ontology(
    version="1",
    categories={
        "wear": Category(
            "wear",
            names={"en": "Clothes", "zh": "服装"},
            uses=dict.fromkeys(("color", "length", "lined", "tags", "care", "price"), Need.ALLOWED),
        ),
        "coats": Category(
            "coats",
            names={"en": "Coats", "de": "Mäntel"},
            parent="wear",
            drops=frozenset({"tags"}),
            narrows=(Narrowing("color", values=("red", "navy")), Narrowing("length", minimum=500.0)),
        ),
    },
    attributes={
        "color": Attribute(
            "color", names={"en": "Color"}, synonyms={"en": ("Colour",)}, values=("red", "navy", "green")
        ),
        "length": Attribute("length", type=AttributeType.NUMBER, unit="mm", minimum=0.0, maximum=2000.0),
        "lined": Attribute("lined", type=AttributeType.BOOLEAN),
        "tags": Attribute("tags", type=AttributeType.CHOICES, values=("new", "sale")),
        "care": Attribute("care", values=("wash", "clean")),
        "price": Attribute("price", type=AttributeType.NUMBER, unit="EUR"),
    },
    values={
        "red": Term("red", names={"en": "Red", "de": "Rot", "zh": "红色"}),
        "navy": Term("navy", names={"en": "Navy"}, synonyms={"en": ("Navy blue", "dark  blue")}),
    },
)


def table(shop: Shop, text: str, ontology: Ontology = ONTOLOGY) -> Clean:
    return ingest(shop(items_csv=text), ontology=ontology)


def value(clean: Clean, item: str, attribute: str) -> list[object]:
    rows = clean.values.filter(pl.col("item") == item, pl.col("attribute") == attribute)
    return [r["value"] if r["number"] is None else r["number"] for r in rows.iter_rows(named=True)]


@pytest.mark.parametrize("text", ["red", "RED", " Rot ", "红色"])
def test_a_value_is_known_by_its_names_in_any_language_and_case(shop: Shop, text: str) -> None:
    assert value(table(shop, f"id,category,color\n1,wear,{text}\n"), "1", "color") == ["red"]


@pytest.mark.parametrize("text", ["Navy blue", "Dark Blue", "dark   blue"])
def test_a_value_is_known_by_its_synonyms(shop: Shop, text: str) -> None:
    assert value(table(shop, f"id,category,color\n1,wear,{text}\n"), "1", "color") == ["navy"]


def test_a_column_is_known_by_the_attributes_synonym(shop: Shop) -> None:
    assert value(table(shop, "id,category,Colour\n1,wear,red\n"), "1", "color") == ["red"]


@pytest.mark.parametrize("text", ["coats", "Coats", "Mäntel", "COATS"])
def test_a_category_is_known_by_its_names(shop: Shop, text: str) -> None:
    assert table(shop, f"id,category,color\n1,{text},red\n").items["category"].to_list() == ["coats"]


@pytest.mark.parametrize(
    ("text", "number"), [("40", 40.0), ("4 cm", 40.0), ("0.04 m", 40.0), ("0,5 m", 500.0)]
)
def test_a_quantity_is_brought_to_the_attributes_unit(shop: Shop, text: str, number: float) -> None:
    clean = table(shop, f'id,category,length\n1,wear,"{text}"\n')
    assert value(clean, "1", "length") == [pytest.approx(number)]


@pytest.mark.parametrize(
    ("text", "word"), [("1", "true"), ("yes", "true"), ("FALSE", "false"), ("0.0", "false"), ("是", "true")]
)
def test_yes_and_no_have_many_words(shop: Shop, text: str, word: str) -> None:
    assert value(table(shop, f"id,category,lined\n1,wear,{text}\n"), "1", "lined") == [word]


def test_a_cell_of_choices_holds_several_values(shop: Shop) -> None:
    assert value(table(shop, "id,category,tags\n1,wear,new| sale|new\n"), "1", "tags") == ["new", "sale"]


def test_values_out_of_range_or_place_are_dropped_and_counted_and_the_item_stays(shop: Shop) -> None:
    text = (
        "id,category,color,length,tags\n1,coats,green,400,new\n2,coats,red,600,\n3,wear,green,-1,new\n"
        "4,wear,red,400,sale\n5,wear,red,2500,\n"
    )
    clean = table(shop, text)
    assert clean.report.counts == {"out of range": 3, "does not apply": 1, "outside the category": 1}
    assert len(clean.items) == 5
    assert value(clean, "1", "color") == []
    assert value(clean, "3", "color") == ["green"]


def test_a_price_that_is_no_number_is_dropped_and_counted(shop: Shop) -> None:
    clean = table(
        shop,
        "id,category,price\n1,wear,NaN\n2,wear,inf\n3,wear,ask\n4,wear,5\n5,wear,6\n6,wear,7\n7,wear,9\n",
    )
    assert clean.report.counts == {"not a number": 1, "not finite": 2}
    assert len(clean.items) == 7


def rule(kind: str, sure: float) -> Ontology:
    when, then = (Condition("color", "red"), Condition("length", minimum=100.0)), Condition("care", "clean")
    return replace(ONTOLOGY, rules={"r": Rule("r", kind, ("wear",), sure, when=when, then=then)})


CARE = """id,category,color,length,care
1,wear,red,200,
2,wear,red,200,wash
3,wear,red,50,
4,wear,navy,200,
5,wear,red,200,clean
"""


def test_an_implication_fills_in_what_is_missing_marks_it_and_changes_nothing_else(shop: Shop) -> None:
    clean = table(shop, CARE, rule("Implies", 0.9))
    care = clean.values.filter(pl.col("attribute") == "care").select("item", "value", "imputed").rows()
    assert care == [("1", "clean", True), ("2", "wash", False), ("5", "clean", False)]


def test_an_implication_that_is_unlikely_fills_in_nothing(shop: Shop) -> None:
    clean = table(shop, CARE, rule("Implies", 0.4))
    assert not clean.values["imputed"].any()


def test_an_item_that_a_rule_excludes_is_listed_and_kept(shop: Shop) -> None:
    clean = table(shop, CARE, rule("Excludes", 0.9))
    assert clean.report.rows.select("reason", "line", "id", "found").rows() == [
        ("contradiction", 6, "5", "r")
    ]
    assert len(clean.items) == 5
