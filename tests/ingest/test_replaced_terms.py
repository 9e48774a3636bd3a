"""Files go on naming what has ended: its values and items stand under what replaces it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_shop import Shop
from test_by_the_ontology import ONTOLOGY

from kgrank.errors import InputError
from kgrank.ingest.clean import Clean, ingest
from kgrank.ontology.model import Attribute, AttributeType, Need, Ontology, Term


def ended(term: Term, by: str) -> Term:
    return replace(term, deprecated=True, replaced_by=by)


def with_replaced_length() -> Ontology:
    """``length`` in mm has ended, and ``reach`` in cm takes its place; ``shade`` takes color's."""
    wear = ONTOLOGY.categories["wear"]
    attributes = {
        **ONTOLOGY.attributes,
        "length": ended(ONTOLOGY.attributes["length"], "reach"),
        "color": ended(ONTOLOGY.attributes["color"], "shade"),
        "reach": Attribute("reach", type=AttributeType.NUMBER, unit="cm"),
        "shade": Attribute("shade", values=("red", "navy", "green")),
    }
    uses = {a: n for a, n in wear.uses.items() if a not in ("length", "color")}
    uses |= {"reach": Need.ALLOWED, "shade": Need.ALLOWED}
    coats = replace(ONTOLOGY.categories["coats"], narrows=())
    return replace(
        ONTOLOGY,
        categories={"wear": replace(wear, uses=uses), "coats": coats},
        attributes=attributes,  # type: ignore[arg-type]
    )


def table(shop: Shop, text: str, ontology: Ontology) -> Clean:
    return ingest(shop(items_csv=text), ontology=ontology)


def values(clean: Clean) -> list[tuple[str, str | float]]:
    return [(a, v or n) for a, v, n in clean.values.select("attribute", "value", "number").rows()]


def test_a_column_of_a_replaced_attribute_is_read_under_the_new_one_in_its_old_unit(shop: Shop) -> None:
    clean = table(shop, "id,category,Colour,length\ni1,coats,dark blue,850\n", with_replaced_length())
    assert set(values(clean)) == {("shade", "navy"), ("reach", 85.0)}


def test_one_that_a_category_still_has_stays(shop: Shop) -> None:
    ontology = with_replaced_length()
    coats = replace(ontology.categories["coats"], uses={"length": Need.ALLOWED})
    ontology = replace(ontology, categories=dict(ontology.categories) | {"coats": coats})
    assert values(table(shop, "id,category,length\ni1,coats,850\n", ontology)) == [("length", 850.0)]


def test_an_item_with_two_answers_is_refused(shop: Shop) -> None:
    with pytest.raises(InputError, match=r"two values of shade: navy .* and red "):
        table(shop, "id,category,color,shade\ni1,coats,navy,red\n", with_replaced_length())


def test_items_of_a_retired_category_are_in_the_one_that_replaces_it(shop: Shop) -> None:
    coats = ended(ONTOLOGY.categories["coats"], "wear")
    ontology = replace(ONTOLOGY, categories=dict(ONTOLOGY.categories) | {"coats": coats})  # type: ignore[arg-type]
    text = "id,category\ni1,Coats\ni2,Mäntel\ni3,coats\ni4,wear\n"
    assert set(table(shop, text, ontology).items["category"]) == {"wear"}


def test_a_retired_value_is_read_as_the_one_that_replaces_it(shop: Shop) -> None:
    navy = ended(ONTOLOGY.values["navy"], "red")
    ontology = replace(ONTOLOGY, values=dict(ONTOLOGY.values) | {"navy": navy})
    assert values(table(shop, "id,category,color\ni1,coats,dark blue\n", ontology)) == [("color", "red")]
