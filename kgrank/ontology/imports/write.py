"""A plan as Turtle files: header, attributes, values, and one file for each top category."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pyoxigraph import Literal, NamedNode

from kgrank.errors import InputError
from kgrank.files import make_folder, write_text
from kgrank.ontology.blocks import Block, Document, Members, Object, Statement
from kgrank.ontology.check.parse import turtle_files
from kgrank.ontology.imports.fold import Folded
from kgrank.ontology.imports.plan import Plan, PlannedAttribute, PlannedCategory
from kgrank.ontology.turtle import write_document
from kgrank.ontology.vocabulary import (
    ALT_LABEL,
    BROADER,
    KG,
    LANGUAGE,
    NEEDS,
    NOTATION,
    OWL,
    PREF_LABEL,
    PREFIXES,
    TITLE,
    TYPE,
    VERSION,
)

BASE = "https://shop.example/id/"
_SHOP = {
    "c": "category",
    "a": "attribute",
    "v": "value",
    "b": "brand",
    "s": "segment",
    "p": "person",
    "r": "rule",
}
_WORDS = {need: word for word, need in NEEDS.items()}


def shop_prefixes(base: str = BASE) -> dict[str, str]:
    """The short names of kgrank and of a shop whose ids begin with ``base``."""
    return {**PREFIXES, **{name: f"{base}{kind}/" for name, kind in _SHOP.items()}}


def write_plan(plan: Plan, folded: Mapping[str, Folded], folder: Path, base: str = BASE) -> None:
    """Writes the files of a new ontology.

    Raises:
        InputError: The folder holds Turtle files already, or cannot be written.
    """
    if turtle_files(folder):
        raise InputError("there are Turtle files in this folder", where=folder, todo="Name a new folder.")
    texts = {
        name: write_document(Document(shop_prefixes(base), tuple(blocks)))
        for name, blocks in _files(plan, folded, base).items()
        if blocks
    }
    make_folder(folder)
    for name, text in texts.items():
        write_text(folder / name, text)


def _files(plan: Plan, folded: Mapping[str, Folded], base: str) -> dict[str, list[Block]]:
    files: dict[str, list[Block]] = {
        "ontology.ttl": [_header(plan, base), *brand_blocks(plan, base), *_segment_blocks(plan, base)],
        "attributes.ttl": [attribute_block(a, plan.languages[0], base) for a in plan.attributes],
        "values.ttl": [block for a in plan.attributes for block in value_blocks(a, plan.languages[0], base)],
    }
    top = _tops(plan)
    for category in plan.categories:
        name = f"{top[category.id]}.ttl"
        if name in ("ontology.ttl", "attributes.ttl", "values.ttl", "rules.ttl"):
            name = f"category-{name}"
        files.setdefault(name, []).append(category_block(category, folded[category.id], base))
    return files


def _tops(plan: Plan) -> dict[str, str]:
    """The top category above each."""
    parents = {c.id: c.parent for c in plan.categories}
    tops: dict[str, str] = {}
    for category in parents:
        here = category
        while (parent := parents[here]) is not None:
            here = parent
        tops[category] = here
    return tops


def _header(plan: Plan, base: str) -> Block:
    statements = [
        Statement(TYPE, (NamedNode(OWL + "Ontology"),)),
        Statement(TITLE, (Literal(plan.title, language=plan.languages[0]),)),
        Statement(VERSION, (Literal(plan.version),)),
        Statement(LANGUAGE, tuple(Literal(x) for x in plan.languages)),
    ]
    return Block(NamedNode(f"{base}ontology"), tuple(statements))


def brand_blocks(plan: Plan, base: str = BASE) -> list[Block]:
    """The brands of a plan."""
    language = plan.languages[0]
    return [
        Block(
            NamedNode(f"{base}brand/{id_}"),
            (
                Statement(TYPE, (NamedNode(KG + "Brand"),)),
                Statement(PREF_LABEL, (_label(name, language),)),
                *_synonyms(plan.brand_synonyms.get(id_, ()), language),
            ),
        )
        for id_, name in plan.brands.items()
    ]


def _segment_blocks(plan: Plan, base: str) -> list[Block]:
    language = plan.languages[0]
    return [
        _thing(f"{base}segment/{id_}", "Segment", id_, {language: name})
        for id_, name in plan.segments.items()
    ]


def value_blocks(attribute: PlannedAttribute, language: str, base: str = BASE) -> list[Block]:
    """The values of an attribute."""
    return [
        _thing(
            f"{base}value/{value}",
            "Value",
            value,
            names,
            *_synonyms(attribute.value_synonyms.get(value, ()), language),
        )
        for value, names in attribute.values.items()
    ]


def _thing(iri: str, kind: str, code: str, names: Mapping[str, str], *more: Statement) -> Block:
    labels = tuple(_label(text, language) for language, text in names.items())
    start = (
        Statement(TYPE, (NamedNode(KG + kind),)),
        Statement(NOTATION, (Literal(code if code[:1].isalnum() else f"x{code}"),)),
        Statement(PREF_LABEL, labels),
    )
    return Block(NamedNode(iri), (*start, *more))


def _label(name: str, language: str) -> Literal:
    """A name as a label, with one plain space between words: ``check`` asks for that."""
    return Literal(" ".join(name.split()), language=language)


def _synonyms(texts: Iterable[str], language: str) -> tuple[Statement, ...]:
    labels = tuple(dict.fromkeys(_label(text, language) for text in texts))
    return (Statement(ALT_LABEL, labels),) if labels else ()


def attribute_block(attribute: PlannedAttribute, language: str, base: str = BASE) -> Block:
    """An attribute, with its values in their order."""
    more = [
        *_synonyms(attribute.synonyms, language),
        Statement(KG + "type", (NamedNode(KG + attribute.type),)),
    ]
    if attribute.brands:
        more.append(Statement(KG + "valuesOf", (NamedNode(KG + "Brand"),)))
    elif attribute.values_of is not None:
        more.append(Statement(KG + "valuesOf", (NamedNode(f"{base}attribute/{attribute.values_of}"),)))
    elif attribute.values:
        values: tuple[Object, ...] = tuple(NamedNode(f"{base}value/{v}") for v in attribute.values)
        more.append(Statement(KG + "values", (Members(values),)))
    if attribute.unit is not None:
        more.append(Statement(KG + "unit", (Literal(attribute.unit),)))
    iri = f"{base}attribute/{attribute.id}"
    return _thing(iri, "Attribute", attribute.id, attribute.names, *more)


def category_block(category: PlannedCategory, folded: Folded, base: str = BASE) -> Block:
    """A category, with what it adds to its parent and drops of it."""
    more = []
    if category.parent is not None:
        more.append(Statement(BROADER, (NamedNode(f"{base}category/{category.parent}"),)))
    for need, word in _WORDS.items():
        named = tuple(NamedNode(f"{base}attribute/{a}") for a, n in folded.uses.items() if n == need)
        if named:
            more.append(Statement(KG + word, named))
    if folded.drops:
        drops = tuple(NamedNode(f"{base}attribute/{a}") for a in folded.drops)
        more.append(Statement(KG + "drops", drops))
    return _thing(f"{base}category/{category.id}", "Category", category.id, category.names, *more)
