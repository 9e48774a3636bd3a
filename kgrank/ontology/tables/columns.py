"""The sheets and their columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kgrank.ontology.kinds.table import rule_kinds
from kgrank.ontology.model import AttributeType
from kgrank.ontology.tables.cells import (
    BOOLEAN,
    CONDITIONS,
    DATE,
    LIST,
    MEMBERS,
    NAME,
    NAMES,
    NUMBER,
    TEXT,
    TEXTS,
    WORD,
    Shape,
    in_language,
)
from kgrank.ontology.vocabulary import (
    ALT_LABEL,
    BROADER,
    CREATED,
    CREATOR,
    DCTERMS,
    DEPRECATED,
    KG,
    LANGUAGE,
    NOTATION,
    PREF_LABEL,
    REPLACED_BY,
    TITLE,
    TYPE,
    VERSION,
    Kind,
)

MORE = "more"
SAYS = "says"
LABEL = " (name)"
"""What ends the head of a grey column with the names of the ids beside it."""

NEEDS = ("required", "recommended", "allowed", "dropped", "narrowed")


@dataclass(frozen=True)
class Column:
    """One predicate of the terms in a sheet; ``kind`` is the kind of term that its names refer to."""

    name: str
    word: str
    shape: Shape
    kind: Kind | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """One sheet: which things have a row, and the columns after ``id``."""

    name: str
    kinds: tuple[Kind, ...]
    columns: tuple[Column, ...]


def _kg(
    name: str, shape: Shape, kind: Kind | None = None, word: str = "", choices: Sequence[str] = ()
) -> Column:
    return Column(name, KG + (word or name), shape, kind, tuple(choices))


def sheets(languages: Sequence[str]) -> tuple[Sheet, ...]:
    """The six sheets of things; ``applies`` has columns of its own."""

    def texts(name: str, word: str, separator: str | None = None) -> list[Column]:
        return [Column(f"{name}.{x}", word, in_language(x, separator)) for x in languages]

    def ending(kind: Kind | None) -> list[Column]:
        booleans = ("true", "false")
        return [
            Column("deprecated", DEPRECATED, BOOLEAN, None, booleans),
            Column("replaced by", REPLACED_BY, NAME, kind),
        ]

    named = [
        Column("notation", NOTATION, TEXT),
        *texts("name", PREF_LABEL),
        *texts("synonyms", ALT_LABEL, " | "),
    ]
    others = (Kind.BRAND, Kind.SEGMENT, Kind.PERSON)
    kinds = Column("kind", TYPE, WORD, None, tuple(k.capitalize() for k in others))
    locations = [
        Column("parent", BROADER, NAME, Kind.CATEGORY),
        _kg("also under", NAMES, Kind.CATEGORY, "alsoUnder"),
    ]
    what = [
        _kg("type", WORD, choices=list(AttributeType)),
        _kg("values", LIST, Kind.VALUE),
        _kg("values of", NAME, Kind.ATTRIBUTE, "valuesOf"),
        _kg("unit", TEXT),
        _kg("min", NUMBER),
        _kg("max", NUMBER),
    ]
    header = [Column("version", VERSION, TEXT), Column("languages", LANGUAGE, TEXTS)]
    header += [Column("modified", DCTERMS + "modified", DATE)]
    return (
        Sheet("rules", (Kind.RULE,), (*_rule_columns(), *texts("because", KG + "because"), *_authors())),
        Sheet("categories", (Kind.CATEGORY,), (*named, *locations, *ending(Kind.CATEGORY))),
        Sheet("attributes", (Kind.ATTRIBUTE,), (*named, *what, *ending(Kind.ATTRIBUTE))),
        Sheet("values", (Kind.VALUE,), (*named, *ending(Kind.VALUE))),
        Sheet("others", others, (kinds, *named, *ending(None))),
        Sheet("ontology", (Kind.HEADER,), (*texts("title", TITLE), *header)),
    )


def _rule_columns() -> list[Column]:
    return [
        Column("kind", TYPE, WORD, None, tuple(rule_kinds())),
        _kg("in", NAMES, Kind.CATEGORY),
        _kg("but not", NAMES, Kind.CATEGORY, "butNot"),
        _kg("segment", NAMES, Kind.SEGMENT, "forSegment"),
        _kg("attribute", NAME, Kind.ATTRIBUTE),
        _kg("order", LIST, Kind.ATTRIBUTE),
        _kg("values", LIST, Kind.VALUE),
        _kg("members", MEMBERS, Kind.ATTRIBUTE),
        _kg("if", CONDITIONS),
        _kg("then", CONDITIONS),
        _kg("better", WORD, choices=("More", "Less")),
        _kg("share", NUMBER),
        _kg("within", NUMBER),
        _kg("brand", NAME, Kind.BRAND),
        _kg("top", NUMBER),
        _kg("sure", NUMBER),
        _kg("must", BOOLEAN, choices=("true", "false")),
    ]


def _authors() -> list[Column]:
    by = Column("by", CREATOR, NAMES, Kind.PERSON)
    return [by, Column("on", CREATED, DATE), Column("deprecated", DEPRECATED, BOOLEAN)]
