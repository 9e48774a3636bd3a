"""A Turtle file as an editor sees it: blocks about one thing each, with their comments.

A parser gives triples: order, comments and lists are lost. These blocks keep them, so that a file can be laid
out, merged and edited without losing a line that somebody wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pyoxigraph import BlankNode, Literal, NamedNode

from kgrank.errors import InputError
from kgrank.ontology.check.positions import TOKEN, unescape
from kgrank.ontology.vocabulary import TYPE, XSD


@dataclass(frozen=True)
class Bracket:
    """A thing without a name, ``[ … ]``."""

    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True)
class Members:
    """A list in its order, ``( … )``."""

    items: tuple[Object, ...] = ()


Object = NamedNode | BlankNode | Literal | Bracket | Members
Subject = NamedNode | BlankNode | Bracket


@dataclass(frozen=True)
class Statement:
    """A word and its objects; the comments above it, and the one at the end of its line."""

    word: str
    objects: tuple[Object, ...]
    comments: tuple[str, ...] = field(default=(), compare=False)
    note: str = field(default="", compare=False)


@dataclass(frozen=True)
class Block:
    """All that a file says of one thing; comments right above it belong to it."""

    subject: Subject
    statements: tuple[Statement, ...]
    comments: tuple[str, ...] = field(default=(), compare=False)
    note: str = field(default="", compare=False)
    span: tuple[int, int] = field(default=(0, 0), compare=False)
    """Its span in the text, its comments included."""

    @property
    def iri(self) -> str:
        """The IRI of the thing; empty for one without."""
        return self.subject.value if isinstance(self.subject, NamedNode) else ""

    def objects(self, word: str) -> tuple[Object, ...]:
        """The objects of a word; empty where it is not written."""
        return tuple(o for s in self.statements if s.word == word for o in s.objects)


@dataclass(frozen=True)
class Heading:
    """Comments with a blank line below, which belong to no block."""

    comments: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """One file: comments at its top, short names, and then headings and blocks in their order."""

    prefixes: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Block | Heading, ...] = ()
    top: tuple[str, ...] = ()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks without the headings."""
        return tuple(p for p in self.parts if isinstance(p, Block))


def read_blocks(text: str, base: str = "") -> Document:
    """The blocks of a text that is valid Turtle (``check`` says whether it is).

    Raises:
        InputError: The text ends inside a block, or holds a mark in a wrong position.
    """
    reader = _Reader(text, base)
    try:
        return reader.document()
    except RecursionError:
        problem, line = "too many brackets inside each other", text.count("\n", 0, reader.offset) + 1
        raise InputError(
            problem, where=f"line {line}", expected="Turtle without brackets in brackets"
        ) from None
    except _UnexpectedError as error:
        line = text.count("\n", 0, error.offset) + 1
        raise InputError(f"this is not valid Turtle near {error.text!r}", where=f"line {line}") from None


def read_statements(text: str, prefixes: Mapping[str, str]) -> tuple[Statement, ...]:
    """The statements in a fragment like ``skos:note "…"@en ; dcterms:source <…>``.

    Raises:
        InputError: It is no such fragment, or a short name is not known.
    """
    head = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in prefixes.items())
    return read_blocks(f"{head}<urn:x> {text} .").blocks[0].statements


class _UnexpectedError(Exception):
    def __init__(self, text: str, offset: int) -> None:
        self.text, self.offset = text, offset


class _Token(NamedTuple):
    kind: str
    text: str
    offset: int


class _Reader:
    """Recursive descent over the tokens; comments are set aside until what they belong to is known."""

    def __init__(self, text: str, base: str) -> None:
        self._text = text
        self._base = base
        self._tokens = [_Token(m.lastgroup or "", m.group(), m.start()) for m in TOKEN.finditer(text)]
        self._at = 0
        self._above_from = 0
        self._prefixes: dict[str, str] = {}
        self._above: list[str] = []

    @property
    def offset(self) -> int:
        """Where in the text it reads now."""
        return self._tokens[min(self._at, len(self._tokens) - 1)].offset

    def document(self) -> Document:
        top: tuple[str, ...] = ()
        parts: list[Block | Heading] = []
        while (token := self._peek_or_comment()) is not None:
            if token.kind == "comment":
                self._set_aside()
                if self._blank_below(token) and (parts or self._prefixes):
                    parts.append(Heading(self._comments()))
            elif token.kind == "directive":
                top += self._comments()
                self._directive()
            else:
                parts.append(self._block())
        if self._above:
            parts.append(Heading(self._comments()))
        return Document(self._prefixes, tuple(parts), top)

    def _block(self) -> Block:
        start = self._above_from if self._above else self._here()
        comments = self._comments()
        subject = self._object()
        if not isinstance(subject, NamedNode | BlankNode | Bracket):
            raise _UnexpectedError(str(subject), self._here())
        statements = self._statements(".")
        self._next()
        comments += self._comments()
        note = self._note()
        last = self._tokens[self._at - 1]
        return Block(subject, statements, comments, note, (start, last.offset + len(last.text)))

    def _statements(self, end: str) -> tuple[Statement, ...]:
        statements: list[Statement] = []
        while True:
            token = self._peek()
            if token.text == end:
                return tuple(statements)
            if token.text == ";":
                self._next()
                if statements and not statements[-1].note:
                    statements[-1] = _noted(statements[-1], self._note())
                continue
            comments = self._comments()
            word = self._word()
            objects = [self._object()]
            while self._peek().text == ",":
                self._next()
                objects.append(self._object())
            comments += self._comments()
            statements.append(Statement(word, tuple(objects), comments, self._note()))

    def _object(self) -> Object:
        token = self._next()
        if token.text == "[":
            inside = self._statements("]")
            self._next()
            # A bracket is written on one line: its comments go up to the statement that it belongs to.
            self._above += [c for s in inside for c in (*s.comments, s.note) if c]
            return Bracket(tuple(Statement(s.word, s.objects) for s in inside))
        if token.text == "(":
            items = []
            while self._peek().text != ")":
                items.append(self._object())
            self._next()
            return Members(tuple(items))
        if token.kind == "text":
            return self._literal(token)
        if token.kind == "number":
            return Literal(token.text, datatype=NamedNode(XSD + _number_type(token.text)))
        if token.kind == "word" and token.text in ("true", "false"):
            return Literal(token.text, datatype=NamedNode(XSD + "boolean"))
        if token.kind == "name" and token.text.startswith("_:"):
            return BlankNode(token.text[2:])
        return NamedNode(self._iri(token))

    def _literal(self, token: _Token) -> Literal:
        quotes = 3 if token.text.startswith(('"""', "'''")) and len(token.text) >= 6 else 1
        text = unescape(token.text[quotes:-quotes])
        following = self._peek_or_comment()
        if following is not None and following.kind == "language":
            return Literal(text, language=self._next().text[1:])
        if following is not None and following.kind == "datatype":
            self._next()
            return Literal(text, datatype=NamedNode(self._iri(self._next())))
        return Literal(text)

    def _word(self) -> str:
        token = self._next()
        return TYPE if token.text == "a" else self._iri(token)

    def _iri(self, token: _Token) -> str:
        if token.kind == "iri":
            return self._joined(unescape(token.text[1:-1]))
        prefix, colon, rest = token.text.partition(":")
        if token.kind != "name" or not colon or prefix not in self._prefixes:
            raise _UnexpectedError(token.text, token.offset)
        return self._prefixes[prefix] + (unescape(rest) if "\\" in rest else rest)

    def _joined(self, iri: str) -> str:
        return iri if ":" in iri else self._base + iri

    def _directive(self) -> None:
        word = self._next()
        if word.text.lstrip("@").lower() == "base":
            self._base = self._iri(self._next())
        else:
            name = self._next().text.removesuffix(":")
            self._prefixes[name] = self._iri(self._next())
        if word.text.startswith("@"):
            self._next()

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def _peek(self) -> _Token:
        """The next token that is no comment; comments on the way are set aside."""
        while (token := self._peek_or_comment()) is not None and token.kind == "comment":
            self._set_aside()
        if token is None:
            raise _UnexpectedError("the end", len(self._text))
        return token

    def _peek_or_comment(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next_raw(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _set_aside(self) -> None:
        token = self._next_raw()
        if not self._above:
            self._above_from = token.offset
        self._above.append(token.text.rstrip())

    def _here(self) -> int:
        token = self._peek_or_comment()
        return token.offset if token else len(self._text)

    def _comments(self) -> tuple[str, ...]:
        comments, self._above = tuple(self._above), []
        return comments

    def _note(self) -> str:
        """The comment that follows on the same line."""
        token = self._peek_or_comment()
        if token is None or token.kind != "comment":
            return ""
        start = self._text.rfind("\n", 0, token.offset) + 1
        if not self._text[start : token.offset].strip():
            return ""
        return self._next_raw().text.rstrip()

    def _blank_below(self, token: _Token) -> bool:
        after = token.offset + len(token.text)
        return self._text[after : after + 80].lstrip(" \t\r").startswith("\n") and (
            self._text[after:].lstrip(" \t\r")[1:81].lstrip(" \t\r").startswith("\n")
        )


def _noted(statement: Statement, note: str) -> Statement:
    return Statement(statement.word, statement.objects, statement.comments, note) if note else statement


def _number_type(text: str) -> str:
    if "e" in text or "E" in text:
        return "double"
    return "decimal" if "." in text else "integer"
