"""A text of rules: one or several sentences a line, each with its line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kgrank.ontology.kinds.table import rule_kinds
from kgrank.ontology.model import Ontology, Rule
from kgrank.ontology.parsing.confidence import DEFAULT, opening, tail_at, tails
from kgrank.ontology.parsing.fields import Mention
from kgrank.ontology.parsing.folded import Folded, fold
from kgrank.ontology.parsing.names import Vocabulary
from kgrank.ontology.parsing.statement import SentenceReading, nearest_reading, read_sentence
from kgrank.ontology.parsing.template import Span, trimmed
from kgrank.ontology.sentences import sentence
from kgrank.ontology.tables.names import DEFAULT_PREFIX

_LONGEST, _ENDS = 1_000, 12
"""Characters of a sentence, and full stops in it, that are looked at."""

_BULLET = re.compile(r"\s*(?:[-*•·]|\(?\d{1,3}[.)])\s+")
_END = re.compile(r"[.!?;](?=\s|$)|[。；！？]|[!?;](?=\S)")
_OPENING = re.compile(r"\s*(?:[-*•·] |\(?\d{1,3}[.)] )?(?:(?:in|for) |everywhere\b|在|对)", re.IGNORECASE)
_CJK = re.compile("[\u3400-\u9fff]")


@dataclass(frozen=True)
class StatedRule:
    """A rule as it was read, with the location and the words of its sentence."""

    rule: Rule
    where: str
    text: str
    creator: str = ""
    id: str = ""


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a sentence or a name in it, with its location and the remedy."""

    where: str
    problem: str
    todo: str

    def sentence(self) -> str:
        """The mistake in one line."""
        return f"{self.where}: {self.problem}. {self.todo}"


def read_text(vocabulary: Vocabulary, text: str, name: str) -> tuple[list[StatedRule], list[Mistake]]:
    """The rules of a text, and all that is wrong with it.

    Args:
        vocabulary: What things are called.
        text: Sentences; lines that begin with # and empty lines part paragraphs.
        name: The file, for locations.
    """
    rules: list[StatedRule] = []
    mistakes: list[Mistake] = []
    for line, paragraph in _paragraphs(text):
        read = _Paragraph(vocabulary, fold(paragraph), line, name)
        for part in read.parts():
            (rules if isinstance(part, StatedRule) else mistakes).append(part)  # type: ignore[arg-type]
    return rules, mistakes


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Lines without an empty line or a comment between them, with the number of the first."""
    lines: list[str] = []
    number = 0
    for number, line in enumerate((*text.splitlines(), ""), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            lines.append(line)
            continue
        if lines:
            yield number - len(lines), "\n".join(lines)
        lines = []


@dataclass(frozen=True)
class _Paragraph:
    vocabulary: Vocabulary
    folded: Folded
    line: int
    name: str

    def parts(self) -> Iterator[StatedRule | Mistake]:
        at, text = 0, self.folded.text
        while at < len(text):
            bullet = _BULLET.match(text, at)
            at = bullet.end() if bullet else at
            if not text[at:].strip(" .。;；"):
                return
            parts, at = self._statement(trimmed(text, (at, len(text)))[0])
            yield from parts

    def _statement(self, start: int) -> tuple[list[StatedRule | Mistake], int]:
        """The rules, or the mistakes, of the statement that begins here, and where the next one begins."""
        whole = self._sentence_end(start)
        if whole - start > _LONGEST:
            problem = f"this sentence has {whole - start:,} characters"
            mistake = Mistake(
                self._where(start), problem, f"Write sentences of up to {_LONGEST:,} characters"
            )
            return [mistake], whole
        body, sure = opening(self.folded, (start, len(self.folded.text)))
        best: tuple[list[SentenceReading], Span, int] | None = None
        for core, after in self._cores(body):
            readings = read_sentence(self.vocabulary, self.folded, core)
            if readings and best is None:
                best = readings, core, after
            if readings and self._ends_well(after):
                best = readings, core, after
                break
        if best is None:
            core, after = self._likely(body)
            return list(self._faults(core)), self._tail(after)[2]
        readings, core, after = best
        said, because, end = self._tail(after)
        if len(readings) > 1:
            return list(self._unclear(readings, core)), end
        said = sure if said is None else said
        return list(self._stated(readings[0], start, after, said, because)), end

    def _sentence_end(self, start: int) -> int:
        """The first full stop or line break."""
        stop = _END.search(self.folded.text, start)
        breaks = (n for n in self.folded.breaks if n > start)
        return min(len(self.folded.text), stop.end() if stop else len(self.folded.text), *breaks)

    def _ends_well(self, at: int) -> bool:
        """Whether what follows can follow a rule: nothing, a confidence or reason, or the next rule."""
        text = self.folded.text
        rest = text[at:].strip(" .。;；")
        on_next_line = at in self.folded.breaks or at - 1 in self.folded.breaks
        followed = tail_at(self.folded, at, len(text)) is not None
        return not rest or on_next_line or followed or _OPENING.match(rest) is not None

    def _cores(self, start: int) -> Iterator[tuple[Span, int]]:
        """Where the rule of a statement may end, and where what follows it begins; the likeliest first."""
        for end in self._ends(start):
            stop = end
            while stop > start and self.folded.text[stop - 1] in ".!?;。 ":
                stop -= 1
            yield trimmed(self.folded.text, (start, stop)), end
            for tail in reversed(tails(self.folded, (start, end))):
                yield trimmed(self.folded.text, (start, tail.start)), tail.start

    def _ends(self, start: int) -> Iterator[int]:
        """Where the sentence may end: at a full stop, a line break or the end."""
        text, count = self.folded.text, 0
        stops = {m.end() for m in _END.finditer(text, start, start + _LONGEST)}
        stops |= {n for n in self.folded.breaks if start < n < start + _LONGEST}
        stops.add(min(len(text), start + _LONGEST))
        for stop in sorted(stops):
            if stop > start and count < _ENDS:
                count += 1
                yield stop

    def _likely(self, start: int) -> tuple[Span, int]:
        """The part that a rule which cannot be read most likely takes, and where what follows it begins."""
        text = self.folded.text
        for end in self._ends(start):
            rest = text[end:].strip()
            if (
                end in self.folded.breaks
                or not rest
                or _OPENING.match(rest)
                or tail_at(self.folded, end, len(text))
            ):
                break
        first = next(iter(tails(self.folded, (start, end))), None)
        stop = end if first is None else first.start
        core = trimmed(text, (start, stop))
        return (core[0], core[1] - (text[core[1] - 1 : core[1]] in ".!?;。" and core[1] > core[0])), stop

    def _tail(self, at: int) -> tuple[float | None, str, int]:
        """How sure, why, and where the next statement begins."""
        sure: float | None = None
        text = self.folded.text
        while (tail := tail_at(self.folded, at, len(text))) is not None:
            sure = tail.sure if tail.sure is not None else sure
            at = tail.end
            if tail.has_reason:
                end = self._reason_end(at)
                stop, last = self._sure_at_end(at, end)
                return last or sure, self.folded.original(at, stop).rstrip(" )"), end
        return sure, "", _behind_marks(text, at)

    def _sure_at_end(self, start: int, end: int) -> tuple[int, float | None]:
        """Where a reason ends before "I am 90% sure", and how sure that is; its end where it has no such words."""
        text = self.folded.text
        for tail in tails(self.folded, (start, end)):
            last = "%" in text[tail.start : tail.end] and not text[tail.end : end].strip(" .。)")
            if tail.sure is not None and not tail.has_reason and last:
                return tail.start, tail.sure
        return end, None

    def _reason_end(self, start: int) -> int:
        text = self.folded.text
        for end in sorted(
            {m.end() for m in _END.finditer(text, start)} | set(self.folded.breaks) | {len(text)}
        ):
            if end > start and (not text[end:].strip() or _OPENING.match(text, end)):
                return end
        return len(text)

    def _stated(
        self, reading: SentenceReading, start: int, end: int, sure: float | None, because: str
    ) -> Iterator[StatedRule]:
        language = reason_language(self.vocabulary.ontology, because)
        why = {language: because[:1].upper() + because[1:]} if because else {}
        for rule in reading.rules:
            whole = replace(rule, sure=DEFAULT if sure is None else sure, because=why)
            yield StatedRule(whole, self._where(start), self.folded.original(start, end))

    def _where(self, at: int) -> str:
        source, offset = self.folded.source, self.folded.offsets[at]
        line = self.line + source.count("\n", 0, offset)
        return f"{self.name}:{line}:{offset - source.rfind(chr(10), 0, offset)}"

    def _faults(self, core: Span) -> Iterator[Mistake]:
        nearest = nearest_reading(self.vocabulary, self.folded, core)
        if nearest is None or not nearest.unknown:
            words = self.folded.original(*core)
            shown = words if len(words) < 80 else words[:79] + "…"
            yield Mistake(
                self._where(core[0]), f'"{shown}" is no rule that kgrank can read', _expected(words)
            )
            return
        for mention in nearest.unknown:
            yield self._unknown(mention)

    def _unknown(self, mention: Mention) -> Mistake:
        name = self.folded.original(*mention.span)
        if mention.among == ():
            problem = f'"{name}" is no value of an attribute of the category'
            return Mistake(
                self._where(mention.span[0]), problem, self.vocabulary.suggestion(mention.kind, name)
            )
        todo = self.vocabulary.suggestion(mention.kind, name, mention.among)
        return Mistake(self._where(mention.span[0]), f'there is no {mention.kind} called "{name}"', todo)

    def _unclear(self, readings: Sequence[SentenceReading], core: Span) -> Iterator[Mistake]:
        """One mistake for each name that several things have, else one for the sentence."""
        ids: dict[Span, dict[str, None]] = {}
        kinds = {m.span: m.kind for r in readings for m in r.mentions}
        for reading in readings:
            for mention in reading.mentions:
                ids.setdefault(mention.span, {})[mention.id or ""] = None
        same_names = len({tuple(sorted({m.span for m in r.mentions})) for r in readings}) == 1
        several = {span: list(names) for span, names in ids.items() if len(names) > 1}
        if same_names and several:
            for span, names in several.items():
                prefix = DEFAULT_PREFIX[kinds[span]]
                things = " and ".join(f"{prefix}:{n}" for n in names)
                problem = f'"{self.folded.original(*span)}" is the name of {things}'
                yield Mistake(self._where(span[0]), problem, f"Write the id: {prefix}:{names[0]}")
            return
        first, second = (
            "; ".join(sentence(rule, self.vocabulary.ontology) for rule in r.rules) for r in readings[:2]
        )
        problem = f'this can be read in {len(readings)} ways: "{first}" or "{second}"'
        yield Mistake(self._where(core[0]), problem, "Put the names in quotes, or write ids")


def reason_language(ontology: Ontology, text: str) -> str:
    """The language of a reason: Chinese by its characters, else English, where the ontology has them."""
    guess = "zh" if _CJK.search(text) else "en"
    return guess if guess in ontology.languages else ontology.languages[0]


def _behind_marks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " .。;":
        at += 1
    return at


def _expected(words: str) -> str:
    """What to write instead: where, or one of the forms."""
    language = "zh" if _CJK.search(words) else "en"
    if not _OPENING.match(words):
        return 'Begin with where it holds: "In CATEGORY, …" or "Everywhere, …"'
    forms = []
    for kind in rule_kinds().values():
        pairs = kind.pairs.get(language, ())
        forms += [pairs[0]] if pairs else []
        forms += [kind.sentences[language]] if "{chain}" not in kind.sentences[language] else []
    return "Write one of: " + "; ".join(re.sub(r"[{](\w+)[}]", lambda m: m[1].upper(), f) for f in forms)
