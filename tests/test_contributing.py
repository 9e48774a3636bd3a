"""The recipes of CONTRIBUTING, followed word for word: a kind of rule and a kind of store of this file's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self, cast

import pytest
from generated_shop import write_files
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.errors import AccessError, InputError
from kgrank.graph import connect
from kgrank.graph.connect import open_store, register_store
from kgrank.graph.health import Check, State
from kgrank.graph.store import GraphStore, StoreKind, StoreOptions
from kgrank.ontology.check import check_folder
from kgrank.ontology.kinds import table
from kgrank.ontology.kinds.kind import ActsOn, Measure, RuleKind, every_language
from kgrank.ontology.kinds.table import register
from kgrank.ontology.model import Rule
from kgrank.ontology.read import read_ontology
from kgrank.ranking import importance, open_shop

ONTOLOGY = """
@prefix kg: <https://w3id.org/kgrank/ns#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix c: <https://shop.example/id/category/> .
@prefix a: <https://shop.example/id/attribute/> .
@prefix v: <https://shop.example/id/value/> .
@prefix p: <https://shop.example/id/person/> .
@prefix r: <https://shop.example/id/rule/> .

<https://shop.example/id/> a owl:Ontology ; owl:versionInfo "1" ; dcterms:language "en" .
p:mei a kg:Person ; skos:prefLabel "Mei"@en .
c:clothing a kg:Category ; skos:notation "C" ; skos:prefLabel "Clothing"@en ;
    kg:allows a:color , a:size , a:price , a:features .
c:dresses a kg:Category ; skos:notation "CD" ; skos:prefLabel "Dresses"@en ; skos:broader c:clothing .
c:shirts a kg:Category ; skos:notation "CS" ; skos:prefLabel "Shirts"@en ; skos:broader c:clothing .
c:shoes a kg:Category ; skos:notation "S" ; skos:prefLabel "Shoes"@en ;
    kg:allows a:color , a:size , a:price , a:features .
a:color a kg:Attribute ; skos:notation "color" ; skos:prefLabel "Color"@en ; kg:type kg:Choice ;
    kg:values ( v:red v:blue v:green ) .
a:size a kg:Attribute ; skos:notation "size" ; skos:prefLabel "Size"@en ; kg:type kg:Ordered ;
    kg:values ( v:s v:m v:l ) .
a:price a kg:Attribute ; skos:notation "price" ; skos:prefLabel "Price"@en ; kg:type kg:Number ; kg:unit "EUR" .
a:features a kg:Attribute ; skos:notation "features" ; skos:prefLabel "Features"@en ; kg:type kg:Choices ;
    kg:values ( v:pockets v:lining v:belt ) .
v:red a kg:Value ; skos:notation "red" ; skos:prefLabel "red"@en .
v:blue a kg:Value ; skos:notation "blue" ; skos:prefLabel "blue"@en .
v:green a kg:Value ; skos:notation "green" ; skos:prefLabel "green"@en .
v:s a kg:Value ; skos:notation "s" ; skos:prefLabel "S"@en .
v:m a kg:Value ; skos:notation "m" ; skos:prefLabel "M"@en .
v:l a kg:Value ; skos:notation "l" ; skos:prefLabel "L"@en .
v:pockets a kg:Value ; skos:notation "pockets" ; skos:prefLabel "pockets"@en .
v:lining a kg:Value ; skos:notation "lining" ; skos:prefLabel "lining"@en .
v:belt a kg:Value ; skos:notation "belt" ; skos:prefLabel "belt"@en .
r:features a kg:Dominant ; kg:in c:dresses ; kg:attribute a:features ; kg:sure 0.9 ;
    dcterms:creator p:mei ; dcterms:created "2026-10-01"^^xsd:date ; kg:because "A toy."@en .
"""


def from_half(_rule: Rule) -> tuple[float, float]:
    return 0.5, float("inf")


DOMINANT = RuleKind(
    name="Dominant",
    needs=("attribute",),
    acts_on=ActsOn.PART_WORTHS,
    measure=Measure.SHARE,
    bounds=from_half,
    sentences={"en": "{a} is half of the decision or more", "zh": "{a}至少占决定的一半"},
    short=every_language("≥ ½"),
)


class ToyStore:
    """A store with addresses of its own; what it keeps is kept by another store behind it."""

    def __init__(self, address: str, behind: GraphStore) -> None:
        self.address = address
        self._behind = behind

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    def health(self) -> Iterable[Check]:
        return (Check("toy", State.FINE, "wound up"),)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._behind.close()


def open_toy(address: str, options: StoreOptions) -> GraphStore:
    behind = open_store(address.removeprefix("toy://"), timeout=options.timeout)
    return cast(GraphStore, ToyStore(address, behind))


TOY = StoreKind(("toy",), example="toy://shop.lb", embedded=True, open=open_toy)


@pytest.fixture(scope="module")
def registered() -> Iterator[None]:
    """Both, until the tests of this module are done."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "_kinds", dict(table._kinds))
        patch.setattr(connect, "_stores", dict(connect._stores))
        register(DOMINANT)
        register_store(TOY)
        yield


@pytest.fixture(scope="module")
def ontology(registered: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ontology")
    (folder / "shop.ttl").write_text(ONTOLOGY, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def address(ontology: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A toy store with a shop whose one rule is of the toy kind, and with weights learned from it."""
    from kgrank.learning.configuration.config import DataConfig, RunConfig
    from kgrank.learning.reporting.progress import NO_PROGRESS
    from kgrank.learning.run import run

    folder = tmp_path_factory.mktemp("shop")
    data = DataConfig(
        store=f"toy://{folder / 'graph.lb'}",
        folder=str(write_files(folder / "files")),
        ontology=str(ontology),
    )
    run(RunConfig(data=data, out=str(folder / "out")), NO_PROGRESS)
    return data.store


def printed(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_the_check_takes_a_rule_of_the_new_kind(ontology: Path) -> None:
    printed("ontology", "check", str(ontology))


def test_the_check_names_the_field_that_a_rule_of_the_new_kind_lacks(ontology: Path, tmp_path: Path) -> None:
    text = ONTOLOGY.replace("kg:attribute a:features ; kg:sure", "kg:sure")
    (tmp_path / "shop.ttl").write_text(text, encoding="utf-8")
    errors = [m for m in check_folder(tmp_path) if m.severity == "error"]
    assert [(m.code, m.advice) for m in errors] == [("R401", "Add kg:attribute; a Dominant rule needs it")]


def test_the_new_kind_is_weighed_against_the_data(address: str) -> None:
    """No feature matters in the generated shop, so the rule is wrong, and the audit says so."""
    assert "contradicted" in printed("audit", "--store", address, code=1)


def test_the_new_kind_acts_in_training_and_is_shown_beside_the_share(address: str) -> None:
    with open_store(address) as store:
        shop = open_shop(store)
    features = next(a for a in importance(shop, "dresses").attributes if a.attribute == "features")
    assert features.without_rules != features.share
    (said,) = features.rules
    assert (said.short, said.lower, said.upper) == ("≥ ½", 0.5, 1.0)
    assert said.sentence == "In Dresses, features is half of the decision or more (90% sure)."


def test_the_new_kinds_sentence_is_read_back(tmp_path: Path) -> None:
    """A kind brings the grammar of its sentence with it: nothing else is needed to read it."""
    (tmp_path / "shop.ttl").write_text(ONTOLOGY.split("r:features a")[0], encoding="utf-8")
    text = tmp_path / "rules.txt"
    text.write_text("In Dresses, features is half of the decision or more (90% sure).", encoding="utf-8")
    printed("ontology", "import", str(tmp_path), "--rules", str(text))
    (rule,) = read_ontology(tmp_path).rules.values()
    assert (rule.kind, rule.attribute, rule.sure) == ("Dominant", "features", 0.9)


def test_items_are_ranked_from_the_new_store(address: str) -> None:
    assert "dresses-" in printed("rank", "dresses", "--store", address)


def test_the_doctor_asks_the_new_store_for_its_health(address: str) -> None:
    assert "wound up" in printed("doctor", "--store", address)


@pytest.mark.usefixtures("registered")
def test_a_kind_of_rule_is_registered_once() -> None:
    with pytest.raises(InputError, match="the rule kind Dominant is registered already"):
        register(DOMINANT)
    with pytest.raises(InputError, match="the rule kind AtLeast is registered already"):
        register(RuleKind(name="AtLeast", needs=(), acts_on=ActsOn.ITEMS, sentences=every_language("")))


def test_a_kind_of_rule_without_words_in_a_language_is_refused() -> None:
    kind = RuleKind(name="Mute", needs=(), acts_on=ActsOn.ITEMS, sentences={"en": "nothing"})
    with pytest.raises(InputError, match="the rule kind Mute has no words in zh"):
        register(kind)


def test_a_kind_of_rule_with_an_unknown_field_is_refused() -> None:
    kind = RuleKind(name="Odd", needs=("colour",), acts_on=ActsOn.ITEMS, sentences=every_language("odd"))
    with pytest.raises(
        InputError, match="the rule kind Odd has the field colour; expected some of attribute"
    ):
        register(kind)


def test_a_kind_of_rule_with_an_unknown_word_in_its_sentence_is_refused() -> None:
    kind = RuleKind(
        name="Odd", needs=(), acts_on=ActsOn.ITEMS, sentences=every_language("{attribute} is odd")
    )
    with pytest.raises(
        InputError, match=r"the rule kind Odd has \{attribute\} in a text; expected some of a, "
    ):
        register(kind)


def test_a_kind_of_rule_about_part_worths_needs_a_measure() -> None:
    kind = RuleKind(
        name="Vague",
        needs=(),
        acts_on=ActsOn.PART_WORTHS,
        sentences=every_language("vague"),
        short=every_language("?"),
    )
    with pytest.raises(InputError, match="the rule kind Vague acts on part-worths; expected a measure"):
        register(kind)


@pytest.mark.usefixtures("registered")
def test_a_scheme_is_registered_once() -> None:
    with pytest.raises(InputError, match="a store for toy:// is registered already"):
        register_store(TOY)
    with pytest.raises(InputError, match="a store for bolt:// is registered already"):
        register_store(StoreKind(("bolt",), example="bolt://host", embedded=False, open=open_toy))


def test_an_address_of_no_store_is_named_without_its_password() -> None:
    with pytest.raises(AccessError, match=r"http://…@host:7474: no store has addresses .* http://"):
        open_store("http://neo4j:secret@host:7474")
