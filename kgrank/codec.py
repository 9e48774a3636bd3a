"""Frozen dataclasses as plain JSON values and back, strictly: no unknown field, no NaN, no wrong type."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")
Step = str | int


class DocumentError(ValueError):
    """A value that does not fit its place; ``path`` leads to it, innermost step first while it is raised."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path: list[Step] = []

    @property
    def path_text(self) -> str:
        """The path of the value, for example ``categories.dresses.attributes[2].weight``."""
        steps = reversed(self.path)
        return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps).lstrip(".")


def encode(value: Any, *, defaults: bool = True) -> Any:
    """The JSON value of a dataclass: objects by field name, tuples as lists, sets as sorted lists.

    Args:
        value: The dataclass.
        defaults: Whether fields at their default are written too.
    """
    kind: Any = type(value)
    return _encoder(kind, defaults)(value)


def decode(kind: Callable[..., T], value: Any) -> T:
    """The dataclass of a JSON value.

    Raises:
        DocumentError: An unknown or missing field, a wrong type, or a number that is not finite.
    """
    result: T = _decoder(kind)(value)
    return result


def _keep(value: Any) -> Any:
    return value


@cache
def _encoder(kind: Any, defaults: bool) -> Callable[[Any], Any]:
    if is_dataclass(kind):
        return _writer(kind, defaults)
    origin, inside = get_origin(kind), get_args(kind)
    if origin is tuple:
        item = _encoder(inside[0], defaults)
        return lambda value: [item(x) for x in value]
    if origin is frozenset:
        return sorted
    if origin is Mapping:
        item = _encoder(inside[1], defaults)
        return lambda value: {key: item(x) for key, x in value.items()}
    if origin is UnionType:
        present = _encoder(inside[0], defaults)
        return lambda value: None if value is None else present(value)
    return _keep


def _writer(kind: Any, defaults: bool) -> Callable[[Any], Any]:
    hints = get_type_hints(kind)
    columns = [(f, _encoder(hints[f.name], defaults)) for f in fields(kind)]

    def written(field: Field[Any], value: Any) -> bool:
        return defaults or field.default is MISSING or value != field.default

    def write(value: Any) -> dict[str, Any]:
        members = ((f, getattr(value, f.name), step) for f, step in columns)
        return {f.name: step(member) for f, member, step in members if written(f, member)}

    return write


@cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    if is_dataclass(kind):
        return _object(kind)
    origin, inside = get_origin(kind), get_args(kind)
    if origin is tuple:
        return _list(_decoder(inside[0]))
    if origin is frozenset:
        members = _list(_decoder(inside[0]))
        return lambda value: frozenset(members(value))
    if origin is Mapping:
        return _mapping(_decoder(inside[1]))
    if origin is UnionType:
        return _one_of(inside)
    if issubclass(kind, StrEnum):
        return _member(kind)
    return {float: _number, int: _whole, str: _text, bool: _truth}[kind]


def _one_of(kinds: tuple[Any, ...]) -> Callable[[Any], Any]:
    """Values of a union: a type and None, or plain types that differ in JSON."""
    named = [k for k in kinds if k is not NoneType]
    if len(named) == 1:
        present = _decoder(named[0])
        return lambda value: None if value is None else present(value)

    def read(value: Any) -> Any:
        if type(value) not in kinds:
            raise DocumentError(
                f"{_shown(value)} where one of {', '.join(k.__name__ for k in named)} is expected"
            )
        return _number(value) if type(value) is float else value

    return read


def _member(kind: type[StrEnum]) -> Callable[[Any], StrEnum]:
    def read(value: Any) -> StrEnum:
        try:
            return kind(value)
        except ValueError:
            raise DocumentError(f"{_shown(value)} where one of {', '.join(kind)} is expected") from None

    return read


def _object(kind: Any) -> Callable[[Any], Any]:
    hints = get_type_hints(kind)
    columns = [(f.name, _decoder(hints[f.name])) for f in fields(kind)]
    names = {name for name, _ in columns}
    needed = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise DocumentError(f"{_shown(value)} where an object is expected")
        if not value.keys() <= names:
            raise DocumentError(f"unknown field {min(value.keys() - names)!r}")
        if not needed <= value.keys():
            raise DocumentError(f"the field {min(needed - value.keys())!r} is missing")
        name = ""
        try:
            members = {}
            for name, step in columns:
                if name in value:
                    members[name] = step(value[name])
            return kind(**members)
        except DocumentError as error:
            error.path.append(name)
            raise

    return read


def _list(item: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise DocumentError(f"{_shown(value)} where a list is expected")
        return tuple(x for _, x in _each(enumerate(value), item))

    return read


def _mapping(item: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise DocumentError(f"{_shown(value)} where an object is expected")
        return dict(_each(value.items(), item))

    return read


def _each(entries: Iterable[tuple[Step, Any]], item: Callable[[Any], Any]) -> Iterator[tuple[Any, Any]]:
    for step, value in entries:
        try:
            yield step, item(value)
        except DocumentError as error:
            error.path.append(step)
            raise


def _number(value: Any) -> float:
    if type(value) is not float and type(value) is not int:
        raise DocumentError(f"{_shown(value)} where a number is expected")
    if not math.isfinite(value):
        raise DocumentError(f"{value} is not a finite number")
    return float(value)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise DocumentError(f"{_shown(value)} where a whole number is expected")
    return value


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise DocumentError(f"{_shown(value)} where true or false is expected")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise DocumentError(f"{_shown(value)} where a text is expected")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
