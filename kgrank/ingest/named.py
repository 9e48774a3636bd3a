"""Which columns and words of a file its mapping names."""

from __future__ import annotations

from collections import abc
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from kgrank.ingest.columns import STANDARD
from kgrank.ingest.mapping import (
    AttributeField,
    CategoryField,
    Events,
    Field,
    Items,
    Offers,
    Outside,
    Pairs,
    People,
    Source,
    Tasks,
    TimeField,
    UserField,
)

_SECTIONS: abc.Mapping[type[Source], str] = {
    Items: "items",
    Offers: "offers",
    Events: "events",
    Tasks: "tasks",
    Pairs: "pairs",
    People: "people",
}


def reads_all(source: Source) -> bool:
    """Whether a source reads all columns that are cells: with ``rest``, and the marks of rated profiles."""
    return type(source) not in _SECTIONS or getattr(source, "rest", False)


def named_columns(source: Source) -> frozenset[str]:
    """The columns that a source reads by their names, standard ones and those of the mapping."""
    section = _SECTIONS.get(type(source))
    return frozenset(STANDARD[section] if section else ()) | mapped_columns(source)


def mapped_columns(source: Source) -> frozenset[str]:
    """The columns that the mapping of a source names."""
    named = set(source.where)
    if isinstance(source, Items) and source.group is not None:
        named.add(source.group)
    for name, part in _parts(source):
        if isinstance(part, Outside):
            named |= set(part.rows)
        elif isinstance(part, AttributeField):
            named |= {part.column or name, *part.one_hot}
        elif part.column is not None:
            named.add(part.column)
        if isinstance(part, CategoryField):
            named |= set(part.above)
        if isinstance(part, UserField) and part.otherwise is not None:
            named.add(part.otherwise)
        if isinstance(part, TimeField) and part.clock is not None:
            named.add(part.clock)
    if isinstance(source, Tasks):
        words = [alternative.name or key for key, alternative in source.alternatives.items()]
        named |= {column.replace("{}", word) for column in named for word in words}
    return frozenset(named)


def named_words(source: Source) -> frozenset[str]:
    """The words of the file to which the mapping gives a meaning."""
    words = {word for words in source.where.values() for word in words}
    for _, part in _parts(source):
        if isinstance(part, Outside):
            words |= {word for words in part.rows.values() for word in words}
        elif isinstance(part, Field):
            words |= set(part.rename)
    if isinstance(source, Tasks):
        words |= set(source.alternatives)
    return frozenset(words)


def _parts(source: Source) -> Iterator[tuple[str, Field | TimeField | Outside]]:
    """All fields of a source, attributes too, with their names."""
    for field in fields(source):
        value = getattr(source, field.name)
        if isinstance(value, abc.Mapping):
            yield from ((n, v) for n, v in value.items() if isinstance(v, Field))
        elif is_dataclass(value) and isinstance(value, Field | TimeField | Outside):
            yield field.name, value
