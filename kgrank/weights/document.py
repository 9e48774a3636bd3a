"""Frozen dataclasses as plain JSON values and back, strictly: no unknown field, no NaN, no wrong type."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import UnionType
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
    def place(self) -> str:
        """Where the value stands, for example ``categories.dresses.attributes[2].weight``."""
        steps = reversed(self.path)
        return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps).lstrip(".")


def encode(value: Any) -> Any:
    """The JSON value of a dataclass: objects by field name, tuples as lists."""
    kind: Any = type(value)
    return _encoder(kind)(value)


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
def _encoder(kind: Any) -> Callable[[Any], Any]:
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        columns = [(f.name, _encoder(hints[f.name])) for f in fields(kind)]
        return lambda value: {name: step(getattr(value, name)) for name, step in columns}
    origin, inside = get_origin(kind), get_args(kind)
    if origin is tuple:
        item = _encoder(inside[0])
        return lambda value: [item(x) for x in value]
    if origin is Mapping:
        item = _encoder(inside[1])
        return lambda value: {key: item(x) for key, x in value.items()}
    if origin is UnionType and inside[1] is type(None):
        present = _encoder(inside[0])
        return lambda value: None if value is None else present(value)
    return _keep


@cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    if is_dataclass(kind):
        return _object(kind)
    origin, inside = get_origin(kind), get_args(kind)
    if origin is tuple:
        return _list(_decoder(inside[0]))
    if origin is Mapping:
        return _mapping(_decoder(inside[1]))
    if origin is UnionType and inside[1] is type(None):
        present = _decoder(inside[0])
        return lambda value: None if value is None else present(value)
    return {float: _number, int: _whole, str: _text}[kind]


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
            found = {}
            for name, step in columns:
                if name in value:
                    found[name] = step(value[name])
            return kind(**found)
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


def _text(value: Any) -> str:
    if type(value) is not str:
        raise DocumentError(f"{_shown(value)} where a text is expected")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
