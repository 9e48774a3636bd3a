"""Sentences with words in braces, matched against a folded text: every way in which one fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from string import Formatter

from kgrank.ontology.parsing.folded import fold

Span = tuple[int, int]
"""From where to where in a folded text."""


@dataclass(frozen=True)
class Slot:
    """A word in braces."""

    name: str


Template = tuple[str | Slot, ...]


@cache
def template(text: str) -> Template:
    """The parts of a sentence, its words folded."""
    parts: list[str | Slot] = []
    for literal, name, _, _ in Formatter().parse(text):
        if literal:
            parts.append(fold(literal).text)
        if name is not None:
            parts.append(Slot(name))
    return tuple(parts)


def matches(parts: Sequence[str | Slot], text: str, span: Span) -> Iterator[Mapping[str, Span]]:
    """Every way to fill the words in braces so that the sentence is this part of the text."""
    start, end = span
    if any(isinstance(p, str) and text.find(p, start, end) < 0 for p in parts):
        return
    yield from _matches(tuple(parts), text, start, end)


def trimmed(text: str, span: Span) -> Span:
    """The span without space at its ends."""
    start, end = span
    while start < end and text[start] == " ":
        start += 1
    while end > start and text[end - 1] == " ":
        end -= 1
    return start, end


def _matches(parts: Template, text: str, start: int, end: int) -> Iterator[Mapping[str, Span]]:
    if not parts:
        if start == end:
            yield {}
        return
    head, rest = parts[0], parts[1:]
    if isinstance(head, str):
        if text.startswith(head, start, end):
            yield from _matches(rest, text, start + len(head), end)
        return
    if not rest:
        if start < end:
            yield {head.name: trimmed(text, (start, end))}
        return
    literal = rest[0]
    if isinstance(literal, Slot):  # Nothing parts them: any position may.
        stops: Iterator[int] = iter(range(start + 1, end))
    else:
        stops = positions(text, literal, start + 1, end)
    for stop in stops:
        for more in _matches(rest, text, stop, end):
            yield {head.name: trimmed(text, (start, stop)), **more}


def positions(text: str, literal: str, start: int, end: int) -> Iterator[int]:
    """Where a word occurs in a part of the text."""
    at = text.find(literal, start, end)
    while at >= 0:
        yield at
        at = text.find(literal, at + 1, end)
