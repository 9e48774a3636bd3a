"""The shipped ontology is right, rich and known to the shapes; the vocabulary says what the code knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdflib import Graph, URIRef
from rdflib.namespace import OWL, RDF, RDFS, SH

from kgrank.ontology.check import check_folder
from kgrank.ontology.kinds.kind import FIELDS
from kgrank.ontology.kinds.table import rule_kinds
from kgrank.ontology.layout import format_folder
from kgrank.ontology.model import BRAND, Ontology
from kgrank.ontology.shacl import check_shapes
from kgrank.ontology.vocabulary import KG, KG_PREDICATES, TYPES, class_names, local
from kgrank.resources import folder

LEAVES = {"dresses", "t-shirts", "shirts", "jackets", "sneakers", "boots", "pumps"}


def test_it_has_no_findings(fashion_folder: Path) -> None:
    assert check_folder(fashion_folder) == []


def test_the_shapes_accept_it(fashion_folder: Path) -> None:
    assert check_shapes(fashion_folder) == []


def test_it_is_in_the_layout_of_fmt(fashion_folder: Path) -> None:
    assert format_folder(fashion_folder) == {}


def test_it_has_seven_leaf_categories_with_ten_attributes_each(fashion: Ontology) -> None:
    leaves = {c for c, below in fashion.children.items() if not below}
    assert leaves == LEAVES
    assert {c: len(fashion.applicable(c)) for c in leaves} == dict.fromkeys(LEAVES, 10)
    assert max(len(fashion.ancestors(c)) for c in leaves) >= 3


def test_it_has_at_least_ten_rules_of_seven_kinds_one_of_them_hard(fashion: Ontology) -> None:
    assert len(fashion.rules) >= 10
    assert len({r.kind for r in fashion.rules.values()}) >= 7
    assert any(r.hard for r in fashion.rules.values())
    assert all(r.creator in fashion.people and r.created and r.because for r in fashion.rules.values())


def test_everything_has_an_english_and_a_chinese_name(fashion: Ontology) -> None:
    kinds = (fashion.categories, fashion.attributes, fashion.values, fashion.brands, fashion.people)
    assert all({"en", "zh"} <= set(t.names) for terms in kinds for t in terms.values())


def test_the_values_of_brand_are_the_brands_and_others_are_accepted(fashion: Ontology) -> None:
    brand = fashion.attributes[BRAND]
    assert brand.open
    assert brand.values == tuple(fashion.brands)


def test_material_is_narrowed_below_shoes(fashion: Ontology) -> None:
    assert fashion.applicable("pumps")["material"].values == ("cotton", "leather", "polyester", "suede")
    assert "sleeve" not in fashion.applicable("boots")
    assert "heel" not in fashion.applicable("shirts")


@pytest.fixture(scope="module")
def vocabulary() -> Graph:
    return Graph().parse(folder("ontology") / "kgrank.ttl")


def test_the_vocabulary_declares_exactly_the_words_that_the_code_reads(vocabulary: Graph) -> None:
    kinds = (RDF.Property, OWL.ObjectProperty, OWL.DatatypeProperty)
    declared = {str(s) for kind in kinds for s in vocabulary.subjects(RDF.type, kind)}
    assert declared == KG_PREDICATES


def test_the_vocabulary_declares_exactly_the_kinds_that_the_code_reads(vocabulary: Graph) -> None:
    classes = {str(s) for s in vocabulary.subjects(RDF.type, OWL.Class)}
    assert classes - {KG + w for w in ("Rule", "Type", "Direction")} == {
        KG + name for name in class_names() if name != "Ontology"
    }
    rules = {str(s) for s in vocabulary.subjects(RDFS.subClassOf, URIRef(KG + "Rule"))}
    assert rules == {KG + name for name in rule_kinds()}
    types = {str(s) for s in vocabulary.subjects(RDF.type, URIRef(KG + "Type"))}
    assert types == set(TYPES)


def test_the_shapes_target_exactly_the_kinds_of_the_table_and_need_their_fields() -> None:
    shapes = Graph().parse(folder("ontology") / "shapes.ttl")
    needed: dict[str, set[str]] = {}
    for shape, kind in shapes.subject_objects(SH.targetClass):
        words = needed.setdefault(local(str(kind)), set())
        for of in shapes.objects(shape, SH.property):
            path = shapes.value(of, SH.path)
            # A path that begins in a list and goes into it: kg:order rdf:rest rdf:first.
            first = path if isinstance(path, URIRef) else shapes.value(path, RDF.first)
            if shapes.value(of, SH.minCount) is not None and isinstance(first, URIRef):
                words.add(local(str(first)))
    assert {kind.name for kind in rule_kinds().values()} <= needed.keys()
    for kind in rule_kinds().values():
        assert needed[kind.name] & set(FIELDS) == set(kind.needs), kind.name


def test_the_lowest_common_category_is_the_deepest_that_holds_all(fashion: Ontology) -> None:
    for category in fashion.categories:
        for other in fashion.categories:
            shared = [c for c in fashion.lineage(category) if other in fashion.subtree(c)]
            assert fashion.lowest_common([category, other]) == (shared[0] if shared else None)
    assert fashion.lowest_common([]) is None
