"""Blocks as Turtle text, in one fixed layout: one statement a line, words in one order, sets sorted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache

from pyoxigraph import BlankNode, Literal, NamedNode

from kgrank.ontology.blocks import Block, Bracket, Document, Heading, Members, Object, Statement
from kgrank.ontology.vocabulary import (
    ALT_LABEL,
    BROADER,
    CREATED,
    CREATOR,
    DEPRECATED,
    KG,
    LANGUAGE,
    NOTATION,
    PREF_LABEL,
    PREFIXES,
    REPLACED_BY,
    TITLE,
    TYPE,
    VERSION,
    XSD,
    local,
)

WIDTH = 110
_LETTER = (
    r"A-Za-z0-9_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    r"\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_MARK = r"\-\u00b7\u0300-\u036f\u203f\u2040"
_LOCAL = re.compile(f"[{_LETTER}](?:[{_LETTER}{_MARK}.]*[{_LETTER}{_MARK}])?")
"""A local name without escapes (PN_LOCAL of Turtle, https://www.w3.org/TR/turtle/#grammar-production-PN_LOCAL)."""

_NUMBER = {
    "integer": re.compile(r"[+-]?\d+"),
    "decimal": re.compile(r"[+-]?\d*\.\d+"),
    "double": re.compile(r"[+-]?(?:\d+\.\d*|\.?\d+)[eE][+-]?\d+"),
    "boolean": re.compile("true|false"),
}
_KG_ORDER = (
    "type alsoUnder requires recommends allows drops narrows in butNot forSegment attribute value order "
    "values valuesOf unit min max members if then better share within brand top sure must because"
)
_ORDER = {
    word: rank
    for rank, word in enumerate(
        [TYPE, TITLE, VERSION, LANGUAGE, NOTATION, PREF_LABEL, ALT_LABEL, BROADER]
        + [KG + w for w in _KG_ORDER.split()]
        + [CREATOR, CREATED, DEPRECATED, REPLACED_BY]
    )
}
SETS = frozenset(
    KG + w for w in ("alsoUnder", "requires", "recommends", "allows", "drops", "in", "butNot", "forSegment")
)
"""Words whose objects have no order of their own."""

_NAMING = frozenset({TYPE, NOTATION, PREF_LABEL, ALT_LABEL})
"""A term with no other predicates than these is written on one line, if it fits."""

_LETTERS = {"\t": "\\t", "\b": "\\b", "\r": "\\r", "\f": "\\f", "\\": "\\\\", '"': '\\"', "\n": "\\n"}


def write_document(document: Document) -> str:
    """The text of a file; of the short names only those are kept that are used."""
    writer = Writer(document.prefixes)
    parts = [writer.part(part) for part in document.parts]
    head = [*document.top, *writer.declarations()]
    return "\n".join(["\n".join(head), *_spaced(document.parts, parts)]).lstrip("\n") + "\n"


def tidy(block: Block) -> Block:
    """A block whose words are in order and said once, with sets sorted and repeated objects left out."""
    words: dict[str, Statement] = {}
    for statement in block.statements:
        before = words.get(statement.word)
        if before is not None:
            statement = replace(
                before,
                objects=before.objects + statement.objects,
                comments=before.comments + statement.comments + ((statement.note,) if statement.note else ()),
            )
        words[statement.word] = statement
    ordered = sorted(words.values(), key=lambda s: (_ORDER.get(s.word, len(_ORDER)), s.word))
    return replace(block, statements=tuple(_tidied(s) for s in ordered))


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts ``aa-2`` before ``aa-10``."""
    return tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.findall(r"\d+|\D+", text))


def _tidied(statement: Statement) -> Statement:
    objects = list(dict.fromkeys(_inner(o) for o in statement.objects))
    if statement.word in SETS and all(isinstance(o, NamedNode) for o in objects):
        objects.sort(key=lambda o: natural(local(getattr(o, "value", ""))))
    return replace(statement, objects=tuple(objects))


def _inner(term: Object) -> Object:
    if isinstance(term, Members):
        return Members(tuple(_inner(i) for i in term.items))
    if isinstance(term, Bracket):
        return Bracket(tidy(Block(BlankNode("x"), term.statements)).statements)
    return term


def _spaced(parts: Iterable[Block | Heading], texts: Iterable[str]) -> Iterator[str]:
    """A blank line before everything but a thing on one line that follows another of its kind."""
    before = ""
    for part, text in zip(parts, texts, strict=True):
        family = _family(part) if isinstance(part, Block) and "\n" not in text else ""
        if not family or family != before:
            yield ""
        before = family
        yield text


def _family(block: Block) -> str:
    return " ".join(o.value for o in block.objects(TYPE) if isinstance(o, NamedNode))


class Writer:
    """Writes blocks with short names, and remembers which of them it used."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._prefixes = dict(prefixes)
        self._by_namespace = {iri: name for name, iri in reversed(self._prefixes.items())}
        self.used: set[str] = set()
        self.name = cache(self._name)

    def declarations(self) -> list[str]:
        """The ``@prefix`` lines of the names used: kgrank's own first, then the shop's in their order."""
        known = [p for p in PREFIXES if p in self.used]
        names = [*known, *(p for p in self._prefixes if p in self.used and p not in known)]
        width = max((len(n) + 1 for n in names), default=0)
        return [f"@prefix {f'{n}:':<{width}} <{self._prefixes[n]}> ." for n in names]

    def part(self, part: Block | Heading) -> str:
        """A block, or the comments of a heading."""
        if isinstance(part, Heading):
            return "\n".join(part.comments)
        return self.block(part)

    def block(self, block: Block) -> str:
        """One thing with the comments above it."""
        block = tidy(block)
        subject = self.object(block.subject)
        lines = [*block.comments]
        note = f"  {block.note}" if block.note else ""
        one_line = self._one_line(subject, block)
        if one_line and len(one_line) <= WIDTH + 40:
            return "\n".join([*lines, one_line + note])
        if not block.statements:
            return "\n".join([*lines, f"{subject} .{note}"])
        return "\n".join([*lines, *self._statement_lines(subject, block, note)])

    def _one_line(self, subject: str, block: Block) -> str:
        plain = all(s.word in _NAMING and not s.comments and not s.note for s in block.statements)
        if not plain or not block.statements:
            return ""
        return f"{subject} {' ; '.join(self.statement(s) for s in block.statements)} ."

    def _statement_lines(self, subject: str, block: Block, note: str) -> Iterator[str]:
        last = len(block.statements) - 1
        for nth, statement in enumerate(block.statements):
            text = self.statement(statement)
            end = " ." if nth == last else " ;"
            tail = f"  {statement.note}" if statement.note else ""
            if nth == last and note:
                tail = f"{tail}{note}" if not tail else f"{tail} {note.strip()}"
            if nth == 0 and not statement.comments:
                yield from _wrapped(f"{subject} {text}{end}{tail}")
                continue
            if nth == 0:
                yield subject
            yield from (f"    {comment}" for comment in statement.comments)
            yield from _wrapped(f"    {text}{end}{tail}")

    def statement(self, statement: Statement) -> str:
        """A word and its objects."""
        word = "a" if statement.word == TYPE else self.name(statement.word)
        return f"{word} {' , '.join(self.object(o) for o in statement.objects)}"

    def object(self, term: Object) -> str:
        """One object, in its shortest form."""
        if isinstance(term, NamedNode):
            return self.name(term.value)
        if isinstance(term, Literal):
            return self._literal(term)
        if isinstance(term, Members):
            return f"( {' '.join(self.object(i) for i in term.items)} )" if term.items else "()"
        if isinstance(term, Bracket):
            inside = " ; ".join(self.statement(s) for s in term.statements)
            return f"[ {inside} ]" if inside else "[]"
        return f"_:{term.value}"

    def _name(self, iri: str) -> str:
        for cut in (iri.rfind("/"), iri.rfind("#"), iri.rfind(":")):
            namespace, rest = iri[: cut + 1], iri[cut + 1 :]
            prefix = self._by_namespace.get(namespace)
            if prefix is not None and _LOCAL.fullmatch(rest):
                self.used.add(prefix)
                return f"{prefix}:{rest}"
        return f"<{iri}>"

    def _literal(self, term: Literal) -> str:
        if term.language:
            return f"{_quoted(term.value)}@{term.language}"
        datatype = term.datatype.value
        if datatype == XSD + "string":
            return _quoted(term.value)
        plain = _NUMBER.get(datatype.removeprefix(XSD))
        if plain is not None and plain.fullmatch(term.value):
            return term.value
        return f"{_quoted(term.value)}^^{self.name(datatype)}"


def _quoted(text: str) -> str:
    return '"' + "".join(_LETTERS.get(c, c) for c in text) + '"'


_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"[^\s]*|<[^<>\s]*>|#.*|\S+')


def _wrapped(line: str) -> Iterator[str]:
    """Long lists and sets continue with a deeper indent; texts and comments are never broken."""
    if len(line) <= WIDTH:
        yield line
        return
    indent = " " * (len(line) - len(line.lstrip()))
    current = indent
    for match in _PIECE.finditer(line):
        piece = match.group()
        stays = piece in (";", ".", ",") or piece.startswith("#") or not current.strip()
        if not stays and len(current) + len(piece) + 1 > WIDTH:
            yield current
            current = indent + "        "
        gap = "  " if piece.startswith("#") else " "
        current += piece if not current.strip() else gap + piece
    yield current
