"""What the words in braces of a rule's sentence hold: names, lists, conditions, shares.

Each reader answers with all readings of a part of the text. A strict reader takes known names only; a lenient one
notes unknown names, so that an error can say which they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import islice, product
from typing import Any

from kgrank.errors import InputError
from kgrank.ontology.kinds.kind import RuleKind
from kgrank.ontology.model import AttributeType, Condition
from kgrank.ontology.numerals import POINT, plain_marks, readings
from kgrank.ontology.parsing.folded import Folded, fold, folded_name
from kgrank.ontology.parsing.names import Vocabulary
from kgrank.ontology.parsing.template import Span, matches, positions, template, trimmed
from kgrank.ontology.phrases import PHRASES, Phrases
from kgrank.ontology.units import convert, unit
from kgrank.ontology.vocabulary import Kind

_MOST = 64
"""Readings of one part that are looked at."""

_PERCENT = re.compile(r"(\d+(?:[.,]\d+)?) ?%")
_QUANTITY = re.compile(r"(?P<number>[+-]?[\d.,]+(?:[eE][+-]?\d+)?)\s*(?P<unit>\D.*)?")
_BREAKS = (", and that ", ", and ", "; ", " and ", ", ", "，", "、")


@dataclass(frozen=True)
class Mention:
    """A name in the text, and the thing that it is taken for; None where it is unknown.

    ``among`` are the things that were possible, where fewer than all.
    """

    span: Span
    kind: Kind
    id: str | None
    among: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Reading:
    """One reading of a part of the text, and the names in it."""

    value: Any
    mentions: tuple[Mention, ...] = ()

    @property
    def unknown(self) -> tuple[Mention, ...]:
        """The names that are not known."""
        return tuple(m for m in self.mentions if m.id is None)


Read = Callable[[Span], Sequence[Reading]]


@dataclass(frozen=True)
class FieldReader:
    """Reads parts of one text for rules of one kind in some categories."""

    vocabulary: Vocabulary
    folded: Folded
    language: str
    lenient: bool
    kind: RuleKind
    categories: tuple[str, ...] = ()

    @property
    def phrases(self) -> Phrases:
        """The phrases of the language."""
        return PHRASES[self.language]

    def named(self, kind: Kind, span: Span, among: Collection[str] | None = None) -> list[Reading]:
        """A thing by its name."""
        span = trimmed(self.folded.text, span)
        ids = self.vocabulary.find(kind, self.folded.text[slice(*span)], among)
        if ids:
            return [Reading(i, (Mention(span, kind, i),)) for i in ids]
        limited = None if among is None else tuple(among)
        return (
            [Reading(None, (Mention(span, kind, None, limited),))]
            if self.lenient and span[0] < span[1]
            else []
        )

    def list_of(self, span: Span, separators: tuple[str, ...], read: Read) -> list[Reading]:
        """Things with separators between them; a name may have a separator in it."""
        strict = replace(self, lenient=False) if self.lenient else self
        if self.lenient:
            pieces = [strict.pieces(span, separators, lambda s: True, greedy=True)]
        else:
            pieces = [self.pieces(span, separators, lambda s: bool(read(s)), greedy=False)]
        lists = []
        for split in islice((s for p in pieces for s in p), _MOST):
            for parts in islice(product(*(read(s) for s in split)), _MOST):
                lists.append(Reading(tuple(p.value for p in parts), _mentions(parts)))
        return lists

    def pieces(
        self, span: Span, separators: tuple[str, ...], accept: Callable[[Span], bool], *, greedy: bool
    ) -> Iterator[list[Span]]:
        """Ways to split a part at separators into pieces that are accepted; greedy: at every separator."""
        text = self.folded.text
        pattern = re.compile("|".join(re.escape(folded) for folded in _by_length(separators)))
        if greedy:
            at, split = span[0], []
            for match in pattern.finditer(text, *span):
                split.append(trimmed(text, (at, match.start())))
                at = match.end()
            yield [s for s in (*split, trimmed(text, (at, span[1]))) if s[0] < s[1]]
            return
        accepted: dict[Span, bool] = {}

        def good(piece: Span) -> bool:
            if piece not in accepted:
                accepted[piece] = piece[0] < piece[1] and accept(piece)
            return accepted[piece]

        seams = sorted(
            (n, n + len(sep)) for sep in _by_length(separators) for n in positions(text, sep, *span)
        )

        def below(start: int) -> Iterator[list[Span]]:
            whole = trimmed(text, (start, span[1]))
            if good(whole):
                yield [whole]
            for left, right in seams:
                piece = trimmed(text, (start, left))
                if left > start and good(piece):
                    for rest in below(right):
                        yield [piece, *rest]

        yield from below(span[0])

    # --- the words in braces -------------------------------------------------------------------------------

    def a(self, span: Span) -> list[Reading]:
        """An attribute that applies in the categories."""
        return self.named(Kind.ATTRIBUTE, span, self._applicable)

    @cached_property
    def _applicable(self) -> Collection[str]:
        return self.vocabulary.attributes_of(self.categories)

    def things(self, kind: Kind, span: Span) -> list[Reading]:
        """A list of categories or segments."""
        return self.list_of(span, self._separators, lambda s: self.named(kind, s))

    @property
    def _separators(self) -> tuple[str, ...]:
        words = self.phrases
        return (words.list_sep, words.and_, *words.also_and)

    def values(self, span: Span, attribute: str | None) -> list[Reading]:
        """Values of an attribute, best first: "x > y"."""
        if attribute is None:
            return []
        return self.list_of(span, (">",), lambda s: self.value_of(attribute, s))

    def value_of(self, attribute: str, span: Span) -> list[Reading]:
        """A value of an attribute, "conical" or "burr type: conical"."""
        kind, among = self.vocabulary.value_kind(attribute), self.vocabulary.values_of(attribute)
        strict = replace(self, lenient=False)
        plain = [r for r in strict.named(kind, span, among) if r.value in among]
        for parts in matches(template("{a}:{value}"), self.folded.text, span):
            if any(r.value == attribute for r in strict.a(parts["a"])):
                inside = [
                    r for r in self.named(kind, parts["value"], among) if r.value is None or r.value in among
                ]
                return [*plain, *inside]
        if plain or not self.lenient:
            return plain
        return [Reading(None, (Mention(trimmed(self.folded.text, span), kind, None, tuple(among)),))]

    def chain(self, span: Span) -> list[Reading]:
        """Attributes compared in pairs, as lists with the most important first."""
        return self._compared(span, self.a)

    def ranked(self, span: Span) -> list[Reading]:
        """Values compared in pairs: their attribute, and lists with the best first."""
        strict = replace(self, lenient=False)
        attributes = list(self._applicable)
        exact = [
            Reading((a, r.value), r.mentions)
            for a in attributes
            for r in strict._compared(span, lambda s, a=a: strict.value_of(a, s))  # type: ignore[misc]
        ]
        if exact or not self.lenient:
            return exact
        partly = [
            Reading((a, r.value), r.mentions)
            for a in attributes
            for r in self._compared(span, lambda s, a=a: self.value_of(a, s))  # type: ignore[misc]
        ]
        named = [r for r in partly if any(m.id is not None for m in r.mentions) or self._names(r, span)]
        if named:
            fewest = min(len(r.unknown) for r in named)
            return [r for r in named if len(r.unknown) == fewest][:1]
        return [
            Reading((None, r.value), r.mentions)
            for r in self._compared(span, lambda s: self.named(Kind.VALUE, s, ()))
        ]

    def _names(self, reading: Reading, span: Span) -> bool:
        """Whether an unknown value has the name of the attribute before it."""
        attribute = reading.value[0]
        return any(
            any(r.value == attribute for r in replace(self, lenient=False).a(parts["a"]))
            for parts in matches(template("{a}:{value}"), self.folded.text, (span[0], span[1]))
        )

    def _compared(self, span: Span, read: Read) -> list[Reading]:
        """Things compared in pairs; pairs that share a thing are one list."""
        text = self.folded.text
        if ">" in text[slice(*span)]:
            lists = self.list_of(span, (">",), read)
            return [Reading((r.value,), r.mentions) for r in lists if len(r.value) > 1]
        words = self.kind.pairs.get(self.language, ())

        def step(part: Span) -> list[Reading]:
            for word in words:
                for form in (word, "which" + word.removeprefix("{x}") if word.startswith("{x}") else word):
                    pairs = [
                        Reading(
                            tuple(p.value for p in both) if len(both) > 1 else (..., both[0].value),
                            _mentions(both),
                        )
                        for slots in matches(template(form), text, part)
                        for both in product(*(read(slots[n]) for n in ("x", "y") if n in slots))
                    ]
                    if pairs:
                        return pairs
            return []

        strict = replace(self, lenient=False)
        splits = strict.pieces(span, _BREAKS, lambda s: bool(step(s)), greedy=False)
        readings = []
        for split in islice(splits, _MOST):
            for steps in islice(product(*(step(s) for s in split)), _MOST):
                linked = _linked([s.value for s in steps])
                if linked is not None:
                    readings.append(Reading(linked, _mentions(steps)))
        if self.lenient and readings:
            # The finest split says most about what is unknown.
            return sorted(readings, key=lambda r: sum(m.span[1] - m.span[0] for m in r.unknown))[:1]
        return readings

    def members(self, span: Span) -> list[Reading]:
        """Attributes, or values, that mean the same."""
        attributes = self.list_of(span, self._separators, self.a)
        values = self.list_of(span, self._separators, self.any_value)
        return [r for r in (*attributes, *values) if len(r.value) > 1]

    def any_value(self, span: Span) -> list[Reading]:
        """A value of any attribute of the categories."""
        values = [v for a in self._applicable for v in self.vocabulary.values_of(a)]
        prefixed = [
            r
            for a in self._applicable
            if ":" in self.folded.text[slice(*span)]
            for r in replace(self, lenient=False).value_of(a, span)
        ]
        return prefixed or self.named(Kind.VALUE, span, values)

    def when(self, span: Span) -> list[Reading]:
        """Conditions of which all hold."""
        return self.list_of(span, self._separators, self.condition)

    def condition(self, span: Span) -> list[Reading]:
        """One test of an attribute."""
        words = self.phrases
        forms = [words.between, words.from_, *words.also_from, words.up_to, *words.also_up_to]
        ranges = [r for form in forms for r in self._range(form, span)]
        if ranges:
            return ranges
        return [r for form in (words.equals, *words.also_equals) for r in self._equals(form, span)]

    def _range(self, form: str, span: Span) -> Iterator[Reading]:
        for slots in matches(template(form), self.folded.text, span):
            for a in self.a(slots["a"]):
                ends = {n: self.quantity(slots[n], a.value) for n in ("low", "high") if n in slots}
                if all(end is not None for end in ends.values()):
                    yield Reading(Condition(a.value, None, ends.get("low"), ends.get("high")), a.mentions)

    def _equals(self, form: str, span: Span) -> Iterator[Reading]:
        for slots in matches(template(form), self.folded.text, span):
            for a in self.a(slots["a"]):
                for value in self._value(slots["value"], a.value):
                    yield Reading(Condition(a.value, value.value), _mentions((a, value)))

    def _value(self, span: Span, attribute: str | None) -> list[Reading]:
        known = self.vocabulary.ontology.attributes
        type_ = known[attribute].type if attribute is not None else None
        text = self.folded.text[slice(*span)]
        if type_ is AttributeType.BOOLEAN:
            truth = _truth(text)
            return [] if truth is None else [Reading(truth)]
        if type_ is AttributeType.NUMBER:
            number = self.quantity(span, attribute)
            return [] if number is None else [Reading(number)]
        if type_ is AttributeType.TEXT:
            return [Reading(self.folded.original(*span).strip('"“”'))]
        if attribute is None:
            return [Reading(None)]
        return self.value_of(attribute, span)

    def quantity(self, span: Span, attribute: str | None) -> float | None:
        """A number in the attribute's unit; None for what is none."""
        text = plain_marks(self.folded.original(*trimmed(self.folded.text, span)))
        match = _QUANTITY.fullmatch(text)
        if match is None:
            return None
        numbers = readings(match["number"])
        number = numbers.get(POINT) if POINT in numbers else next(iter(numbers.values()), None)
        target = self.vocabulary.ontology.attributes[attribute].unit if attribute is not None else None
        word = (match["unit"] or "").strip()
        if number is None or not word or word == target:
            return number
        try:
            return convert(number, unit(word).code, target) if target is not None else None
        except InputError:
            return None

    def share(self, span: Span) -> list[Reading]:
        """A percentage as a number from 0 to 1."""
        share = percentage(self.folded.text[slice(*span)])
        return [] if share is None else [Reading(share)]

    within = share

    def better(self, span: Span) -> list[Reading]:
        """``More`` or ``Less``."""
        words, text = self.phrases, self.folded.text[slice(*span)]
        if text in map(folded_name, (words.more, *words.also_more)):
            return [Reading("More")]
        return [Reading("Less")] if text in map(folded_name, (words.less, *words.also_less)) else []

    def brand(self, span: Span) -> list[Reading]:
        """One brand, or None for each of them."""
        if self.folded.text[slice(*span)] == folded_name(self.phrases.any_brand):
            return [Reading(None)]
        return [
            r
            for slots in matches(template(self.phrases.brand_cap), self.folded.text, span)
            for r in self.named(Kind.BRAND, slots["brand"])
        ]

    def top(self, span: Span) -> list[Reading]:
        """A number of places."""
        text = self.folded.text[slice(*span)]
        return [Reading(int(text))] if text.isdecimal() and len(text) < 10 else []


def percentage(text: str) -> float | None:
    """The number that a text like "12.5%" is, here 0.125; None for what is no percentage."""
    match = _PERCENT.fullmatch(text.strip())
    return None if match is None else float(f"{match[1].replace(',', '.')}e-2")


def _truth(text: str) -> bool | None:
    for words in PHRASES.values():
        if text in (folded_name(words.yes), folded_name(words.no)):
            return text == folded_name(words.yes)
    return {"true": True, "false": False}.get(text)


def _linked(steps: Sequence[tuple[Any, Any]]) -> tuple[tuple[Any, ...], ...] | None:
    """Pairs as lists; ``...`` first in a pair is the last of the pair before."""
    lists: list[list[Any]] = []
    for better, worse in steps:
        if better is ... and not lists:
            return None
        if lists and (better is ... or lists[-1][-1] == better):
            lists[-1].append(worse)
        else:
            lists.append([better, worse])
    return tuple(tuple(each) for each in lists)


def _mentions(readings: Sequence[Reading]) -> tuple[Mention, ...]:
    return tuple(m for r in readings for m in r.mentions)


@cache
def _by_length(separators: tuple[str, ...]) -> list[str]:
    """The separators folded, the longest first, so that ", and " is not taken for ","."""
    return sorted({fold(s).text for s in separators}, key=len, reverse=True)
