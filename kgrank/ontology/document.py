"""The whole ontology as one JSON document, and back: what a graph store keeps of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from kgrank.errors import InputError
from kgrank.ontology.model import Ontology

FORMAT = "kgrank-ontology/1"


def dump(ontology: Ontology) -> str:
    """The ontology as JSON text: fields in their declared order, those at their default left out."""
    return json.dumps({"format": FORMAT, **_plain(ontology)}, ensure_ascii=False, allow_nan=False)


def load(text: str) -> Ontology:
    """The ontology in a text that ``dump`` wrote.

    Raises:
        InputError: The text is no such document, or one of a format that this version does not read.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"the ontology document is not JSON ({error})", expected=f"{FORMAT} text") from None
    if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
        raise InputError(
            "this is not an ontology document of a known format",
            expected=FORMAT,
            todo="Load the graph again with this version of kgrank.",
        )
    try:
        ontology: Ontology = _typed(Ontology, document)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InputError(
            f"the ontology document is damaged ({error})", todo="Load the graph again."
        ) from None
    return ontology


def _plain(value: Any) -> Any:
    """Dataclasses as objects, sets sorted, so that equal ontologies give equal text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: _plain(getattr(value, f.name))
            for f in fields(value)
            if f.default is MISSING or getattr(value, f.name) != f.default
        }
    if isinstance(value, Mapping):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(member) for member in value]
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _typed(kind: Any, value: Any) -> Any:
    """A JSON value as the type that a field declares."""
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        return kind(**{name: _typed(hints[name], member) for name, member in value.items()})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return _one_of(arguments, value)
    if origin is tuple:
        return tuple(_typed(arguments[0], member) for member in value)
    if origin is frozenset:
        return frozenset(value)
    if origin is not None:
        return {key: _typed(arguments[1], member) for key, member in value.items()}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(value)
    wanted = (int, float) if kind is float else kind
    if not isinstance(value, wanted):
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    return value


def _one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    if value is None and NoneType in kinds:
        return None
    named = [k for k in kinds if k is not NoneType]
    if len(named) == 1:
        return _typed(named[0], value)
    if not isinstance(value, tuple(named)):
        raise TypeError(f"{value!r} is none of {', '.join(k.__name__ for k in named)}")
    return value
