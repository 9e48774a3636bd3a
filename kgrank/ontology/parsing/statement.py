"""One sentence as a rule: where it holds, and what it states, by the sentences of the table of rule kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice, product
from typing import Any

from kgrank.ontology.kinds.kind import LANGUAGES, RuleKind
from kgrank.ontology.kinds.table import rule_kinds
from kgrank.ontology.model import Rule
from kgrank.ontology.parsing.fields import FieldReader, Mention, Reading
from kgrank.ontology.parsing.folded import Folded
from kgrank.ontology.parsing.names import Vocabulary
from kgrank.ontology.parsing.template import Slot, Span, Template, matches, template, trimmed
from kgrank.ontology.phrases import PHRASES
from kgrank.ontology.vocabulary import Kind

_MOST = 200
"""Readings of one sentence that are looked at."""


@dataclass(frozen=True)
class SentenceReading:
    """The rules that a sentence states, one or several, and the names in it."""

    rules: tuple[Rule, ...]
    mentions: tuple[Mention, ...]

    @property
    def unknown(self) -> tuple[Mention, ...]:
        """The names that are not known, each once."""
        return tuple(dict.fromkeys(m for m in self.mentions if m.id is None))


def read_sentence(vocabulary: Vocabulary, folded: Folded, span: Span) -> list[SentenceReading]:
    """All readings in which every name is known; none where the part of the text is no rule."""
    return _distinct(_readings(vocabulary, folded, span, lenient=False))


def nearest_reading(vocabulary: Vocabulary, folded: Folded, span: Span) -> SentenceReading | None:
    """The reading with the least that is unknown; None where the part of the text has no rule's form."""
    readings = _readings(vocabulary, folded, span, lenient=True)
    return min(readings, key=_doubt, default=None)


def _doubt(reading: SentenceReading) -> tuple[int, int]:
    return sum(m.span[1] - m.span[0] for m in reading.unknown), len(reading.unknown)


def _distinct(readings: Iterator[SentenceReading]) -> list[SentenceReading]:
    distinct: list[SentenceReading] = []
    for reading in islice(readings, _MOST):
        if all(reading.rules != other.rules for other in distinct):
            distinct.append(reading)
    return distinct


def _readings(
    vocabulary: Vocabulary, folded: Folded, span: Span, *, lenient: bool
) -> Iterator[SentenceReading]:
    for language in LANGUAGES:
        reader = FieldReader(vocabulary, folded, language, lenient, next(iter(rule_kinds().values())))
        seen: set[object] = set()
        # What is unknown is looked for where a place ends as kgrank writes it.
        for form in _places(language, written=lenient):
            for slots in matches(form, folded.text, span):
                key = tuple(sorted(slots.items()))
                if key in seen:
                    continue
                seen.add(key)
                for scope in _scope(reader, slots):
                    for kind in rule_kinds().values():
                        here = replace(reader, kind=kind, categories=scope.value["categories"])
                        yield from _bodies(here, slots["body"], scope)


@cache
def _places(language: str, *, written: bool) -> list[Template]:
    """How a sentence may begin: for whom, where, but not where."""
    words = PHRASES[language]
    where = [words.where, words.where + words.except_.replace("places", "excluded"), *words.everywhere]
    forms = [f"{start}{place}" for place in where for start in ("", words.segment)]
    whole = words.whole.partition("{body}")[0]
    joints = [whole.removeprefix("{place}")]
    headings: list[Template] = []
    if not written:
        joints += [": ", " "] if language == "en" else [""]
        forms += ["for {places}"] if language == "en" else []
        headings = [(*template("{places}"), *template(joint), Slot("body")) for joint in (": ", "：")]
    return [*((*template(f), *template(joint), Slot("body")) for joint in joints for f in forms), *headings]


def _scope(reader: FieldReader, slots: Mapping[str, Span]) -> Iterator[Reading]:
    """Where and for whom a rule holds."""
    roots = [Reading(reader.vocabulary.ontology.roots)]
    parts = [
        reader.things(Kind.CATEGORY, slots["places"]) if "places" in slots else roots,
        reader.things(Kind.CATEGORY, slots["excluded"]) if "excluded" in slots else [Reading(())],
        reader.things(Kind.SEGMENT, slots["segments"]) if "segments" in slots else [Reading(())],
    ]
    for categories, but_not, segments in product(*parts):
        fields = {
            "categories": _known(categories.value),
            "but_not": _known(but_not.value),
            "segments": _known(segments.value),
        }
        yield Reading(fields, (*categories.mentions, *but_not.mentions, *segments.mentions))


def _known(ids: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(i for i in ids if i is not None))


def _bodies(reader: FieldReader, span: Span, scope: Reading) -> Iterator[SentenceReading]:
    kind, language = reader.kind, reader.language
    for form in (kind.sentences[language], *kind.phrasings.get(language, ())):
        for slots in matches(template(form), reader.folded.text, span):
            for fields in _fields(reader, slots):
                rules = tuple(_rules(kind, scope.value, fields.value))
                if rules:
                    yield SentenceReading(rules, (*scope.mentions, *fields.mentions))


_ATTRIBUTES = ("a", "then_a")
_ORDER = (
    "a",
    "then_a",
    "chain",
    "ranked",
    "members",
    "when",
    "then",
    "values",
    "better",
    "share",
    "within",
    "brand",
    "top",
)


def _fields(reader: FieldReader, slots: Mapping[str, Span]) -> Iterator[Reading]:
    """All readings of the words in braces, those first that others depend on."""
    names = sorted(slots, key=_ORDER.index)

    def below(rest: list[str], so_far: dict[str, Any], mentions: tuple[Mention, ...]) -> Iterator[Reading]:
        if not rest:
            yield Reading(so_far, mentions)
            return
        for reading in _field(reader, rest[0], slots[rest[0]], so_far):
            yield from below(rest[1:], {**so_far, rest[0]: reading.value}, (*mentions, *reading.mentions))

    yield from below(names, {}, ())


def _field(reader: FieldReader, name: str, span: Span, so_far: Mapping[str, Any]) -> list[Reading]:
    span = trimmed(reader.folded.text, span)
    if name == "values":
        return reader.values(span, so_far.get("a"))
    if name in _ATTRIBUTES:
        return reader.a(span)
    if name == "then":
        return reader.condition(span)
    read = {
        "chain": reader.chain,
        "ranked": reader.ranked,
        "members": reader.members,
        "when": reader.when,
        "better": reader.better,
        "share": reader.share,
        "within": reader.within,
        "brand": reader.brand,
        "top": reader.top,
    }[name]
    return read(span)


def _rules(kind: RuleKind, scope: Mapping[str, Any], fields: Mapping[str, Any]) -> Iterator[Rule]:
    """The rules that the fields make: one for each list that is compared."""
    then = fields.get("then")
    if "then_a" in fields and then is not None and fields["then_a"] not in (then.attribute, None):
        return
    attribute = fields.get("a")
    plain = {n: fields[n] for n in ("share", "within", "better", "brand", "top", "members") if n in fields}
    rule = Rule(
        id="",
        kind=kind.name,
        sure=1.0,
        **scope,
        **plain,
        when=fields.get("when", ()),
        then=then,
        attribute=attribute,
        values=fields.get("values", ()),
    )
    if "chain" in fields:
        yield from (replace(rule, order=order) for order in fields["chain"])
    elif "ranked" in fields:
        attribute, lists = fields["ranked"]
        yield from (replace(rule, attribute=attribute, values=values) for values in lists)
    else:
        yield rule
