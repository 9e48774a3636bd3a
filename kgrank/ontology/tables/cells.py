"""What a cell says, as objects of a word, and back.

A shape takes those objects of a word that it can show; the others are left for the column ``more``. What it
takes it must be able to give back, so nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyoxigraph import Literal, NamedNode

from kgrank.errors import InputError
from kgrank.ontology.blocks import Bracket, Members, Object, Statement
from kgrank.ontology.tables.names import Names
from kgrank.ontology.vocabulary import KG, XSD, Kind

_ATTRIBUTE, _VALUE, _MIN, _MAX = (KG + w for w in ("attribute", "value", "min", "max"))
_DECIMAL, _DATE, _BOOLEAN = (NamedNode(XSD + t) for t in ("decimal", "date", "boolean"))
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")
_RANGE = re.compile(r"(?:(?P<low>\S+) *<= *)?(?P<name>\S+?)(?: *(?P<sign>[<>]?=) *(?P<right>.+))?")
_TRUE, _FALSE = ("true", "1", "yes", "x"), ("false", "0", "no")


@dataclass(frozen=True)
class Shape:
    """How a cell holds the objects of a predicate.

    ``shows`` gives the text of one object, or None for one that this shape cannot show; ``reads`` is its
    opposite. Several objects are joined by ``separator``; without one, a cell holds one object.
    """

    shows: Callable[[Object, Names], str | None]
    reads: Callable[[str, Names, Kind | None], Object]
    separator: str | None = None

    def show(self, objects: Sequence[Object], names: Names, kind: Kind | None) -> tuple[str, list[Object]]:
        """The text of a cell, and the objects that it could not take."""
        texts: list[str] = []
        left: list[Object] = []
        for term in objects:
            text = self.shows(term, names)
            room = self.separator is not None or not texts
            if text is None or not room or not self._comes_back(text, term, names, kind):
                left.append(term)
            else:
                texts.append(text)
        return (self.separator or "").join(texts), left

    def read(self, text: str, names: Names, kind: Kind | None) -> list[Object]:
        """The objects that a cell holds."""
        if not text:
            return []
        parts = text.split(self.separator.strip()) if self.separator else [text]
        return [self.reads(p.strip() if self.separator else p, names, kind) for p in parts]

    def _comes_back(self, text: str, term: Object, names: Names, kind: Kind | None) -> bool:
        if self.separator is not None and self.separator.strip() in text:
            return False
        if not text or text != text.strip():
            return False
        try:
            return self.reads(text, names, kind) == term
        except InputError:
            return False


def _show_name(term: Object, names: Names) -> str | None:
    return names.write(term.value) if isinstance(term, NamedNode) else None


def _show_list(separator: str) -> Callable[[Object, Names], str | None]:
    def show(term: Object, names: Names) -> str | None:
        if not isinstance(term, Members) or not all(isinstance(i, NamedNode) for i in term.items):
            return None
        return separator.join(names.write(i.value) for i in term.items if isinstance(i, NamedNode))

    return show


def _read_list(separator: str) -> Callable[[str, Names, Kind | None], Object]:
    def read(text: str, names: Names, kind: Kind | None) -> Object:
        return Members(tuple(names.read(p.strip(), kind) for p in text.split(separator)))

    return read


def _show_word(term: Object, names: Names) -> str | None:
    inside = isinstance(term, NamedNode) and term.value.startswith(KG)
    return term.value.removeprefix(KG) if inside and isinstance(term, NamedNode) else None


def _read_word(text: str, names: Names, kind: Kind | None) -> Object:
    word = text.removeprefix("kg:")
    if not word.isalnum():
        raise InputError(f"{text!r} is not a word of kgrank")
    return NamedNode(KG + word)


def _show_text(term: Object, names: Names) -> str | None:
    plain = isinstance(term, Literal) and term == Literal(term.value)
    return term.value if plain and isinstance(term, Literal) else None


def _read_text(text: str, names: Names, kind: Kind | None) -> Object:
    return Literal(text)


def _show_number(term: Object, names: Names) -> str | None:
    return term.value if isinstance(term, Literal) and _NUMBER.fullmatch(term.value) else None


def read_number(text: str, names: Names | None = None, kind: Kind | None = None) -> Object:
    """A number as people write it; a decimal comma is read as a point.

    Raises:
        InputError: It is no number.
    """
    if not _NUMBER.fullmatch(text):
        raise InputError(f"{text!r} is not a number", expected="a number like 0.9, without a unit")
    plain = text.replace(",", ".")
    type_ = "double" if "e" in plain.lower() else "decimal" if "." in plain else "integer"
    return Literal(plain, datatype=NamedNode(XSD + type_))


def _show_boolean(term: Object, names: Names) -> str | None:
    boolean = isinstance(term, Literal) and term.datatype == _BOOLEAN
    return term.value if boolean and isinstance(term, Literal) else None


def _read_boolean(text: str, names: Names, kind: Kind | None) -> Object:
    if text.lower() in (*_TRUE, *_FALSE):
        return Literal("true" if text.lower() in _TRUE else "false", datatype=_BOOLEAN)
    raise InputError(f"{text!r} is neither true nor false")


def _show_date(term: Object, names: Names) -> str | None:
    dated = isinstance(term, Literal) and term.datatype == _DATE
    return term.value if dated and isinstance(term, Literal) else None


def _read_date(text: str, names: Names, kind: Kind | None) -> Object:
    try:
        return Literal(date.fromisoformat(text[:10]).isoformat(), datatype=_DATE)
    except ValueError:
        raise InputError(f"{text!r} is not a date", expected="a date like 2026-10-05") from None


def _show_condition(term: Object, names: Names) -> str | None:
    """``a:material = v:leather``, ``a:weight <= 300``, ``50 <= a:heel <= 80``."""
    if not isinstance(term, Bracket) or any(len(s.objects) != 1 for s in term.statements):
        return None
    words: Mapping[str, Object] = {s.word: s.objects[0] for s in term.statements}
    attribute, value, low, high = (words.get(w) for w in (_ATTRIBUTE, _VALUE, _MIN, _MAX))
    if not isinstance(attribute, NamedNode) or len(words) != len(term.statements):
        return None
    name = names.write(attribute.value)
    if value is not None and isinstance(value, NamedNode | Literal):
        return f"{name} = {names.writer.object(value)}" if len(words) == 2 else None
    left = f"{names.writer.object(low)} <= " if isinstance(low, Literal) and high is not None else ""
    if isinstance(high, Literal):
        return f"{left}{name} <= {names.writer.object(high)}"
    return f"{name} >= {names.writer.object(low)}" if isinstance(low, Literal) else None


def _read_condition(text: str, names: Names, kind: Kind | None) -> Object:
    match = _RANGE.fullmatch(text.strip())
    if match is None or not match["sign"]:
        raise InputError(
            f"{text!r} is not a condition", expected="a:material = v:leather, or a:weight <= 300"
        )
    statements = [Statement(_ATTRIBUTE, (names.read(match["name"], Kind.ATTRIBUTE),))]
    if match["low"]:
        statements.append(Statement(_MIN, (read_number(match["low"]),)))
    word = {"=": _VALUE, "<=": _MAX, ">=": _MIN}[match["sign"]]
    right = match["right"].strip()
    statements.append(Statement(word, (_read_value(right, names) if word == _VALUE else read_number(right),)))
    return Bracket(tuple(statements))


def _read_value(text: str, names: Names) -> Object:
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        return Literal(text[1:-1].replace('\\"', '"').replace("\\\\", "\\"))
    if text in ("true", "false"):
        return Literal(text, datatype=_BOOLEAN)
    return read_number(text) if _NUMBER.fullmatch(text) else names.read(text, Kind.VALUE)


NAME = Shape(_show_name, lambda t, n, k: n.read(t, k))
NAMES = Shape(_show_name, lambda t, n, k: n.read(t, k), " | ")
LIST = Shape(_show_list(" > "), _read_list(">"))
MEMBERS = Shape(_show_list(" = "), _read_list("="))
WORD = Shape(_show_word, _read_word)
TEXT = Shape(_show_text, _read_text)
TEXTS = Shape(_show_text, _read_text, " | ")
NUMBER = Shape(_show_number, read_number)
BOOLEAN = Shape(_show_boolean, _read_boolean)
DATE = Shape(_show_date, _read_date)
CONDITIONS = Shape(_show_condition, _read_condition, " & ")


def in_language(language: str, separator: str | None = None) -> Shape:
    """The shape of texts in one language."""

    def show(term: Object, names: Names) -> str | None:
        return term.value if isinstance(term, Literal) and term.language == language else None

    return Shape(show, lambda text, n, k: Literal(text, language=language), separator)
