"""YAML into frozen dataclasses, with the line of every mistake.

The dataclass is the schema: its fields are the keys, its type hints what they hold, the text in ``Annotated``
what they are for. A class may name in ``SHORT`` the field that a plain word sets (``user: customer``
means ``user: {column: customer}``), and in ``TABLE`` the field that a table sets. Scalars stay as they
are written: ``no`` is the word no, and ``007`` keeps its zeros.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import EnumType
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml

from kgrank.documents import bounded_yaml
from kgrank.errors import InputError, near_miss

_TRUTH = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True)
class Located:
    """A YAML node and its file."""

    node: yaml.Node
    path: Path

    @property
    def where(self) -> str:
        """File and line."""
        return f"{self.path}:{self.node.start_mark.line + 1}"

    def refuse(self, problem: str, expected: str, todo: str | None = None) -> InputError:
        """The error for this node."""
        return InputError(problem, where=self.where, expected=expected, todo=todo)


def read_yaml(path: Path, kind: type[Any]) -> Any:
    """One YAML document as a dataclass.

    Raises:
        InputError: The file is missing, is not YAML, has an unknown key or a value of the wrong kind.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"there is no file {path.name}", where=path.parent) from None
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 at byte {error.start}", where=path, expected="UTF-8 text") from None
    try:
        node = yaml.compose(bounded_yaml(text), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"not YAML: {error.problem}", where=f"{path}:{line}") from None
    if node is None:
        raise InputError("the file is empty", where=path, expected=f"the keys {', '.join(_keys(kind))}")
    return value(kind, Located(node, path), "the file")


def value(hint: Any, at: Located, name: str) -> Any:
    """A node as a value of a type hint; ``name`` is what the message calls it."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return value(next(t for t in inner if t is not type(None)), at, name)
    if is_dataclass(hint) and isinstance(hint, type):
        return _record(hint, at, name)
    if origin is tuple:
        return tuple(value(inner[0], part, name) for part in _parts(at))
    if origin is Mapping:
        if isinstance(at.node, yaml.ScalarNode) and at.node.tag == "tag:yaml.org,2002:null":
            return {}  # A key with nothing but comments below it.
        return _table(inner[1], at, name)
    return _scalar(hint, at, name)


def about(kind: type[Any], key: str) -> str:
    """What a key is for."""
    text: str = get_type_hints(kind, include_extras=True)[key].__metadata__[0]
    return text


def _keys(kind: type[Any]) -> list[str]:
    return [f.name for f in fields(kind)]


def _record(kind: type[Any], at: Located, name: str) -> Any:
    node, short = at.node, getattr(kind, "SHORT", None)
    if isinstance(node, yaml.ScalarNode) and short is not None:
        return _make(kind, {short: value(get_type_hints(kind)[short], at, name)}, at, name)
    if isinstance(node, yaml.MappingNode) and hasattr(kind, "TABLE"):
        return _make(kind, {kind.TABLE: value(get_type_hints(kind)[kind.TABLE], at, name)}, at, name)
    if not isinstance(node, yaml.MappingNode):
        raise at.refuse(f"{name} is not a table of keys", f"the keys {', '.join(_keys(kind))}")
    hints, given = get_type_hints(kind), {}
    for key, part in _items(at):
        if key not in _keys(kind):
            raise Located(part[0], at.path).refuse(
                f"unknown key {key!r} in {name}",
                f"one of {', '.join(_keys(kind))}",
                near_miss(key, _keys(kind)),
            )
        given[key] = value(hints[key], Located(part[1], at.path), key)
    for field in fields(kind):
        if field.name not in given and field.default is MISSING and field.default_factory is MISSING:
            raise at.refuse(f"{name} has no key {field.name!r}", about(kind, field.name))
    return _make(kind, given, at, name)


def _make(kind: type[Any], given: Mapping[str, Any], at: Located, name: str) -> Any:
    """The record, which may refuse what does not go together."""
    try:
        return kind(**given)
    except ValueError as error:
        raise at.refuse(f"{name}: {error}", "keys that go together") from None


def _items(at: Located) -> list[tuple[str, tuple[yaml.Node, yaml.Node]]]:
    assert isinstance(at.node, yaml.MappingNode)
    members: dict[str, tuple[yaml.Node, yaml.Node]] = {}
    for key, part in at.node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise Located(key, at.path).refuse("a key that is not a word", "a word")
        if key.value in members:
            raise Located(key, at.path).refuse(f"the key {key.value!r} stands twice", "each key once")
        members[key.value] = (key, part)
    return list(members.items())


def _parts(at: Located) -> list[Located]:
    """The members of a list; anything else is a list of one."""
    if isinstance(at.node, yaml.SequenceNode):
        return [Located(n, at.path) for n in at.node.value]
    return [at]


def _table(inner: Any, at: Located, name: str) -> dict[str, Any]:
    """A table of names; a list of words is a table in which each word has its defaults."""
    if isinstance(at.node, yaml.MappingNode):
        return {key: value(inner, Located(part[1], at.path), f"{name}.{key}") for key, part in _items(at)}
    words = [value(str, part, name) for part in _parts(at)]
    if inner is str:
        return {word: word for word in words}
    if isinstance(inner, type) and is_dataclass(inner):
        return {word: inner() for word in words}
    raise at.refuse(f"{name} is not a table of keys", "a table, one key a line")


def _scalar(hint: Any, at: Located, name: str) -> Any:
    node = at.node
    if not isinstance(node, yaml.ScalarNode):
        raise at.refuse(f"{name} is not a single word or number", "a word or a number")
    text: str = node.value
    if hint is str:
        return text
    if hint is bool:
        if text.lower() not in _TRUTH:
            raise at.refuse(f"{name}: {text!r} is neither true nor false", "true or false")
        return _TRUTH[text.lower()]
    if isinstance(hint, EnumType):
        names = [str(member.value) for member in hint]  # type: ignore[var-annotated]
        if text not in names:
            raise at.refuse(
                f"{name}: unknown word {text!r}", f"one of {', '.join(names)}", near_miss(text, names)
            )
        return hint(text)
    try:
        return hint(text)
    except ValueError:
        raise at.refuse(f"{name}: {text!r} is not a number", "a number") from None
