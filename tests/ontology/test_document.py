"""The JSON document keeps everything of an ontology, and says what is wrong with one it cannot read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrank.errors import InputError
from kgrank.ontology.document import dump, load
from kgrank.ontology.kinds.table import rule_kinds
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
from kgrank.ontology.read import read_ontology

ids = st.text(alphabet="abcxyz-服", min_size=1, max_size=5)
texts = st.text(max_size=8)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
languages = st.dictionaries(st.sampled_from(["en", "zh", "de"]), texts, max_size=2)
id_lists = st.lists(ids, max_size=3).map(tuple)
term = {
    "id": ids,
    "iri": texts,
    "notation": texts,
    "names": languages,
    "synonyms": st.dictionaries(
        st.sampled_from(["en", "zh"]), st.lists(texts, max_size=2).map(tuple), max_size=2
    ),
    "deprecated": st.booleans(),
    "replaced_by": st.none() | ids,
}
terms = st.builds(Term, **term)
narrowings = st.builds(Narrowing, ids, id_lists, numbers, numbers)
categories = st.builds(
    Category,
    **term,
    parent=st.none() | ids,
    also_under=id_lists,
    uses=st.dictionaries(ids, st.sampled_from(Need), max_size=3),
    drops=st.frozensets(ids, max_size=3),
    narrows=st.lists(narrowings, max_size=2).map(tuple),
)
attributes = st.builds(
    Attribute,
    **term,
    type=st.sampled_from(AttributeType),
    values=id_lists,
    open=st.booleans(),
    unit=st.none() | texts,
    minimum=numbers,
    maximum=numbers,
)
conditions = st.builds(
    Condition,
    ids,
    st.none() | ids | st.booleans() | st.floats(allow_nan=False, allow_infinity=False),
    numbers,
    numbers,
)
rules = st.builds(
    Rule,
    id=ids,
    kind=st.sampled_from(sorted(rule_kinds())),
    categories=id_lists,
    sure=st.floats(0, 1),
    iri=texts,
    but_not=id_lists,
    segments=id_lists,
    attribute=st.none() | ids,
    order=id_lists,
    values=id_lists,
    members=id_lists,
    when=st.lists(conditions, max_size=2).map(tuple),
    then=st.none() | conditions,
    better=st.none() | st.sampled_from(["More", "Less"]),
    share=numbers,
    within=numbers,
    brand=st.none() | ids,
    top=st.none() | st.integers(1, 50),
    because=languages,
    creator=texts,
    created=texts,
)


def by_id(things: st.SearchStrategy) -> st.SearchStrategy:  # type: ignore[type-arg]
    return st.lists(things, max_size=3).map(lambda some: {t.id: t for t in some})


ontologies = st.builds(
    Ontology,
    version=texts,
    categories=by_id(categories),
    attributes=by_id(attributes),
    values=by_id(terms),
    brands=by_id(terms),
    segments=by_id(terms),
    people=by_id(terms),
    rules=by_id(rules),
    languages=st.lists(texts, max_size=2).map(tuple),
    title=languages,
)


@settings(max_examples=150, deadline=None)
@given(ontologies)
def test_nothing_is_lost_and_the_text_is_stable(ontology: Ontology) -> None:
    text = dump(ontology)
    again = load(text)
    assert again == ontology
    assert dump(again) == text


def test_the_fashion_ontology_keeps_its_order_and_fingerprint(fashion: Ontology) -> None:
    again = load(dump(fashion))
    assert again == fashion
    assert list(again.attributes) == list(fashion.attributes)
    assert again.fingerprint == fashion.fingerprint


def test_all_twelve_kinds_of_rules_survive() -> None:
    example = read_ontology(Path(__file__).parent / "fashion_example")
    assert {r.kind for r in example.rules.values()} == set(rule_kinds())
    assert load(dump(example)) == example


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "known format"),
        ('{"format": "kgrank-ontology/0"}', "known format"),
        ('{"format": "kgrank-ontology/1"}', "damaged"),
        ('{"format": "kgrank-ontology/1", "version": 1, "categories": {}, "attributes": {}}', "damaged"),
        (
            '{"format": "kgrank-ontology/1", "version": "1", "categories": {}, "attributes": {}, "x": 1}',
            "damaged",
        ),
        ('{"format": "kgrank-ontology/1", "version": "1", "categories": 3, "attributes": {}}', "damaged"),
    ],
)
def test_another_document_is_refused(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        load(text)


def test_an_unknown_kind_of_rule_is_refused(fashion: Ontology) -> None:
    document = json.loads(dump(fashion))
    document["rules"]["dress-order"]["kind"] = "Wish"
    with pytest.raises(InputError, match="damaged"):
        load(json.dumps(document))
