"""What every importer reads into: categories with all that applies there, attributes with their values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kgrank.errors import InputError
from kgrank.ontology.model import AttributeType, Need

_BYTES = re.compile("_((?:[0-9a-f]{2})+)_")
_ENDS = re.compile(r"^\.|\.$")


@dataclass(frozen=True)
class PlannedCategory:
    """A category with all attributes that apply there, inherited ones included."""

    id: str
    names: Mapping[str, str]
    parent: str | None = None
    uses: Mapping[str, Need] = field(default_factory=dict)


@dataclass(frozen=True)
class PlannedAttribute:
    """An attribute; ``values`` are names in one language by value id, or taken from ``values_of``.

    Synonyms are in the plan's first language.
    """

    id: str
    names: Mapping[str, str]
    type: AttributeType
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    values_of: str | None = None
    brands: bool = False
    unit: str | None = None
    synonyms: tuple[str, ...] = ()
    value_synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Everything that was found, and remarks for the person who brings it; brands and segments are names by id."""

    categories: tuple[PlannedCategory, ...]
    attributes: tuple[PlannedAttribute, ...] = ()
    brands: Mapping[str, str] = field(default_factory=dict)
    brand_synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    title: str = "Imported"
    version: str = "1"
    languages: tuple[str, ...] = ("en",)
    remarks: tuple[str, ...] = ()


def identifier(name: str) -> str:
    """A name as an id, from which ``original`` gives the name back.

    A space becomes ``_``; any character but ASCII letters, digits, ``-`` and ``.`` its UTF-8 bytes, ``_2f_``.
    """
    return _coded(name, " ")


def original(id_: str) -> str:
    """The name that ``identifier`` made an id of."""
    return _decoded(id_, " ")


def given(code: str) -> str:
    """The other system's id, as it is but for characters that an IRI cannot hold; they become ``_2f_``."""
    return _coded(code, "_")


def _coded(text: str, underscore: str) -> str:
    """``underscore`` is the character written as ``_``, where that cannot be misread."""

    def one(character: str, plain: str) -> str:
        if character == plain:
            return "_"
        kept = character.isascii() and (character.isalnum() or character in "-.")
        return character if kept else f"_{character.encode().hex()}_"

    first = _ENDS.sub("_2e_", "".join(one(c, underscore) for c in text))
    if _decoded(first, underscore) == text:
        return first
    return _ENDS.sub("_2e_", "".join(one(c, "") for c in text))


def _decoded(id_: str, underscore: str) -> str:
    parts = _BYTES.split(id_)
    try:
        bytes_ = [bytes.fromhex(p).decode() for p in parts[1::2]]
    except ValueError:
        return ""
    plain = [p.replace("_", underscore) for p in parts[::2]]
    return "".join(p for pair in zip(plain, [*bytes_, ""], strict=True) for p in pair)


def distinct(kind: str, keys: Iterable[tuple[str, str, object]]) -> None:
    """Refuses two things with one id.

    Args:
        kind: What they are, in the error.
        keys: Of each term its id, its name and its location.

    Raises:
        InputError: Two have the same id; both are named.
    """
    seen: dict[str, tuple[str, object]] = {}
    for id_, name, where in keys:
        if id_ in seen:
            other, location = seen[id_]
            raise InputError(
                f'the {kind} "{name}" and the {kind} "{other}" ({location}) would have the same id {id_}',
                where=where,
                todo="Rename one of them, or give it an id of its own.",
            )
        seen[id_] = name, where
