"""Line and column of each statement in a Turtle file.

Parsers of Turtle give triples without their lines. This tokeniser reads a file that is already known to parse
and notes the line and column of every subject, predicate and object; it runs only over files that have a
finding. Statements inside brackets are noted under the subject of the bracket.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple, Protocol

from kgrank.ontology.vocabulary import TYPE

TOKEN = re.compile(
    r'''(?P<comment>\#[^\n]*)
      | (?P<text>"""(?:[^"\\]|\\.|"(?!""))*"""|\'\'\'(?:[^'\\]|\\.|'(?!\'\'))*\'\'\'
                |"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<iri><[^<>\s]*>)
      | (?P<directive>@prefix|@base|\bPREFIX\b|\bBASE\b)
      | (?P<language>@[A-Za-z-]+)
      | (?P<datatype>\^\^)
      | (?P<number>[+-]?(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?(?![\w:]))
      | (?P<mark>[\[\](),;.])
      | (?P<name>(?:[^\s:;,.()\[\]"'<>\#@^]|\.(?=\w))*:(?:[^\s;,()\[\]"'<>\#\\.]|\\.|\.(?=[\w:%\\]))*)
      | (?P<word>\w+)''',
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_FEW = 200
"""Subjects above which the whole file is read at once."""

_PREFIX = re.compile(
    r"^[ \t]*@?prefix[ \t]+([^\s:<>]*):[ \t]*<([^<>\s]*)>[ \t]*\.?[ \t]*$", re.MULTILINE | re.I
)
_DIRECTIVE = re.compile(r"@(?:prefix|base)\b|\bprefix\s+[^\s:]*:\s*<|\bbase\s+<", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_LETTERS = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}


class _Wanted(Protocol):
    """What ``Positions.find`` looks for; see ``SourceLocation``."""

    @property
    def subject(self) -> str: ...
    @property
    def word(self) -> str | None: ...
    @property
    def object(self) -> str | None: ...
    @property
    def nth(self) -> int: ...


class Position(NamedTuple):
    """A line and a column, both from 1."""

    line: int
    column: int


class Positions:
    """The positions of one file by (subject), (subject, word) and (subject, word, object)."""

    def __init__(self, offsets: dict[tuple[str, ...], list[int]], text: str) -> None:
        self._found = offsets
        self._starts = [0, *(m.end() for m in re.finditer("\n", text))]

    def find(self, location: _Wanted) -> Position:
        """The position of a place, else of the nearest thing around it, else the first of the file."""
        key = tuple(k for k in (location.subject, location.word, location.object) if k is not None)
        while key:
            offsets = self._found.get(key)
            if offsets:
                offset = offsets[min(location.nth, len(offsets) - 1)]
                line = bisect_right(self._starts, offset)
                return Position(line, offset - self._starts[line - 1] + 1)
            key = key[:-1]
        return Position(1, 1)


def literal_key(text: str) -> str:
    """How ``SourceLocation.object`` and this module name a literal."""
    return f'"{text}'


def positions(text: str, subjects: Collection[str] | None = None) -> Positions:
    """Reads the positions of a file that parses; with ``subjects`` of these alone, which takes milliseconds."""
    if subjects is not None and len(subjects) <= _FEW:
        offsets = _of_few(text, subjects)
        if offsets is not None:
            return Positions(offsets, text)
    reader = _Reader({})
    for token in TOKEN.finditer(text):
        reader.take(token.lastgroup or "", token.group(), token.start())
    return Positions(reader.offsets, text)


def _of_few(text: str, subjects: Collection[str]) -> dict[tuple[str, ...], list[int]] | None:
    """The positions of some subjects from their own blocks; None where the whole must be read to be sure."""
    head = text[: max((m.end() for m in _PREFIX.finditer(text)), default=0)]
    prefixes = dict(_PREFIX.findall(head))
    declared = len(_PREFIX.findall(head))
    if (
        len(prefixes) != declared
        or len(_DIRECTIVE.findall(text)) != declared
        or '"""' in text
        or "'''" in text
    ):
        return None
    reader = _Reader(prefixes)
    for subject in subjects:
        heads = dict(_heads(text, subject, prefixes))
        if None in heads.values() or True not in heads.values():
            return None
        for offset in sorted(at for at, sure in heads.items() if sure):
            for token in TOKEN.finditer(text, offset):
                reader.take(token.lastgroup or "", token.group(), token.start())
                if reader.between:
                    break
    return reader.offsets


def _heads(text: str, subject: str, prefixes: Mapping[str, str]) -> Iterator[tuple[int, bool | None]]:
    """Where lines begin with a subject, and whether a block about it begins there; None is doubt."""
    names = [f"{p}:{subject[len(i) :]}" for p, i in prefixes.items() if i and subject.startswith(i)]
    for name in (f"<{subject}>", *names):
        at = -1
        while (at := text.find(name, at + 1)) >= 0:
            begins = at == 0 or text[at - 1] == "\n"
            if begins and text[at + len(name) : at + len(name) + 1].isspace():
                yield at, _ended(text, at)


def _ended(text: str, at: int) -> bool | None:
    """Whether the last line above that says anything ends a statement; None where a # makes it hard to say."""
    while at > 0:
        start = text.rfind("\n", 0, at - 1) + 1
        line = text[start:at].strip()
        if line and not line.startswith("#"):
            if _PREFIX.fullmatch(line):
                return True
            return None if "#" in line else line.endswith(".")
        at = start
    return True


class _Reader:
    """Follows the grammar just far enough to know subject, word and object apart."""

    def __init__(self, prefixes: dict[str, str]) -> None:
        self.offsets: dict[tuple[str, ...], list[int]] = {}
        self._prefixes = prefixes
        self._base = ""
        self._subject: str | None = None
        self._word: str | None = None
        self._outer: list[tuple[str | None, str]] = []
        self._directive: list[str] | None = None
        self._skip = False

    @property
    def between(self) -> bool:
        """Whether the last statement has ended and none has begun."""
        return self._subject is None and not self._outer and self._directive is None

    def take(self, kind: str, token: str, offset: int) -> None:
        if kind in ("comment", "language"):
            return
        if kind == "directive":
            self._directive = [token.lstrip("@").lower()]
        elif self._directive is not None:
            self._declare(kind, token)
        elif kind == "datatype":
            self._skip = True
        elif self._skip:
            self._skip = False
        elif kind == "mark":
            self._punctuate(token)
        else:
            self._name(self._resolve(kind, token), offset)

    def _declare(self, kind: str, token: str) -> None:
        assert self._directive is not None
        self._directive.append(token)
        if kind != "iri":
            return
        if self._directive[0] == "base":
            self._base = token[1:-1]
        else:
            self._prefixes[self._directive[1].removesuffix(":")] = self._base_joined(token[1:-1])
        self._directive = None

    def _punctuate(self, mark: str) -> None:
        if mark in "[(":
            self._subject = self._subject or ""
            self._outer.append((self._word, mark))
            if mark == "[":
                self._word = None
        elif mark in "])" and self._outer:
            self._word, _ = self._outer.pop()
        elif mark == ";":
            self._word = None
        elif mark == "." and not self._outer:
            self._subject = self._word = None

    def _name(self, name: str, offset: int) -> None:
        if self._subject is None:
            # A blank node has another name in every parser, so its statements are kept under no name.
            self._subject = "" if name.startswith("_:") else name
            key: tuple[str, ...] = (self._subject,)
        elif self._word is None and not (self._outer and self._outer[-1][1] == "("):
            self._word = name
            key = (self._subject, name)
        else:
            key = (self._subject, self._word or "", name)
        self.offsets.setdefault(key, []).append(offset)

    def _resolve(self, kind: str, token: str) -> str:
        if kind == "iri":
            return self._base_joined(unescape(token[1:-1]))
        if kind == "text":
            quotes = 3 if token.startswith(('"""', "'" * 3)) and len(token) >= 6 else 1
            return literal_key(unescape(token[quotes:-quotes]))
        if kind == "name":
            prefix, _, rest = token.partition(":")
            return self._prefixes.get(prefix, f"{prefix}:") + re.sub(r"\\(.)", r"\1", rest)
        return TYPE if token == "a" and self._word is None else literal_key(token)

    def _base_joined(self, iri: str) -> str:
        return iri if ":" in iri else self._base + iri


def unescape(text: str) -> str:
    """An escaped Turtle text or name, unescaped."""

    def plain(match: re.Match[str]) -> str:
        code = match.group(1)
        return chr(int(code[1:], 16)) if len(code) > 1 else _LETTERS.get(code, code)

    return _ESCAPE.sub(plain, text)
