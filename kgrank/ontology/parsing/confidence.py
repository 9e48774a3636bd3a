"""How sure people say they are, and why, as in "I am 90% sure, because people compare boilers first"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kgrank.ontology.parsing.fields import percentage
from kgrank.ontology.parsing.folded import Folded, folded_name
from kgrank.ontology.parsing.template import Span
from kgrank.ontology.phrases import PHRASES

DEFAULT = 0.8
"""How sure a rule is of which nothing is said; the number that ``check`` proposes too."""

WORDS: Mapping[str, float] = {
    "always": 1.0,
    "it must hold": 1.0,
    "must": 1.0,
    "certainly": 0.95,
    "surely": 0.95,
    "very sure": 0.95,
    "sure": 0.9,
    "probably": 0.8,
    "quite sure": 0.8,
    "fairly sure": 0.7,
    "perhaps": 0.6,
    "maybe": 0.6,
    "必须成立": 1.0,
    "肯定": 0.95,
    "大概": 0.8,
    "也许": 0.6,
}
"""Words for a probability; 1 is a hard rule."""

_PERCENT = r"\d+(?:[.,]\d+)? ?%"
_WORD = "|".join(re.escape(folded_name(w)) for w in sorted(WORDS, key=len, reverse=True))
_SURE = (
    rf"(?:(?:i am|i'm|we are|we're) )?(?P<sure>{_PERCENT}(?= (?:sure|certain))|{_WORD})(?: (?:sure|certain))?"
    rf"|(?:(?:我|我们)?有? ?)?(?:把握(?:是|为)? ?(?P<hold>{_PERCENT})|(?P<held>{_PERCENT}) ?的?把握)"
)
_BECAUSE = r"(?:because|since|因为|由于)"
_TAIL = re.compile(
    rf"(?:\s*[(]|[.;,。;]?\s*)(?:(?:{_SURE})\s*[)]?"
    rf"(?:\s*,?\s*(?P<because>{_BECAUSE}) ?|(?=\s*(?:[.!。;]|$)))"
    rf"|(?P<only>{_BECAUSE}) ?)"
)
_FIRST = re.compile(
    rf"(?:(?:i am|i'm|we are|we're) (?P<sure>{_PERCENT}|{_WORD})(?: (?:sure|certain))?(?: that|,|:)? "
    rf"|(?P<word>{_WORD})[,:] ?)(?=\S)"
)
_STARTS = re.compile(rf"[(.;,。]|\s|(?={_BECAUSE})")


@dataclass(frozen=True)
class Tail:
    """How sure a rule is, where the text says it; ``end`` is where its reason begins, where it has one."""

    start: int
    end: int
    sure: float | None
    has_reason: bool


def tail_at(folded: Folded, start: int, end: int) -> Tail | None:
    """The tail of a sentence that begins here; its end is where the reason begins, where there is one."""
    match = _TAIL.match(folded.text, start, end)
    if match is None or match.end() == start:
        return None
    text = match["sure"] or match["hold"] or match["held"]
    sure = sure_of(text) if text else None
    reason = bool(match["because"] or match["only"])
    return Tail(start, match.end(), sure, reason)


def tails(folded: Folded, span: Span) -> list[Tail]:
    """Where in a sentence its tail may begin, the first position first."""
    found: list[Tail] = []
    for match in _STARTS.finditer(folded.text, *span):
        tail = tail_at(folded, match.start(), span[1])
        if tail is not None and match.start() > span[0] and not (found and found[-1].end == tail.end):
            found.append(tail)
    return found


def opening(folded: Folded, span: Span) -> tuple[int, float | None]:
    """Where the rule begins behind words like "Surely," or "I am 90% sure that", and how sure these say it is."""
    match = _FIRST.match(folded.text, *span)
    if match is None:
        return span[0], None
    return match.end(), sure_of(match["sure"] or match["word"])


def sure_of(text: str) -> float | None:
    """A confidence in words or per cent as a probability; None for what is none."""
    name = folded_name(text)
    known = {folded_name(word): sure for word, sure in WORDS.items()}
    if name in known:
        return known[name]
    for words in PHRASES.values():
        head, _, rest = folded_name(words.sure).partition("{percent}")
        name = name.removeprefix(head).removesuffix(rest)
    return percentage(name)
