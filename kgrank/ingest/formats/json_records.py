"""The records of JSON files, one at a time and with their lines: one object a line, or a list of objects."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from kgrank.documents import NestingError, decode_json, load_json
from kgrank.errors import InputError

Record = tuple[int, dict[str, Any]]
"""The line at which a record begins, and the record."""

_SPACE = re.compile(r"[ \t\n]*")

_LIST_OF_OBJECTS = re.compile(r"\[[ \t\n]*\{")

_EXPECTED = "a list of objects [{…}, {…}], an object with one such list, or one object a line"


class RepeatedKeyError(ValueError):
    """A key that stands twice in one object."""


def _without_zeros(number: str) -> str:
    return re.sub(r"^(-?\d+)\.0+$", r"\1", number)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        raise RepeatedKeyError(repr(next(key for key in keys if keys.count(key) > 1)))
    return members


_DECODER = json.JSONDecoder(
    parse_float=_without_zeros, parse_int=str, parse_constant=str, object_pairs_hook=_once
)
"""Numbers stay as they are written, but 17.0 is 17, as in JSON itself."""


def line_records(path: Path, text: str) -> Iterator[Record]:
    """The objects of a file with one on each line.

    Raises:
        InputError: A line that is no JSON object, or a key that stands twice in one.
    """
    is_first = True
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        line = line.strip(" \t\r\n")
        record, end = None, 0
        with suppress(json.JSONDecodeError):
            record, end = _decoded(where, line, 0)
        if not isinstance(record, dict) or end < len(line):
            raise InputError(
                f"not a JSON object: {line[:60]!r}",
                where=where,
                expected="one JSON object a line",
                todo="For an object with a list of objects, write `format: json` in the mapping."
                if is_first
                else "",
            )
        is_first = False
        yield number, record


def document_records(path: Path, text: str, notes: list[str]) -> Iterator[Record]:
    """The objects of a list, or of the only list of objects in an object; of many lines, one on each.

    Args:
        path: The file, for its messages.
        text: What it holds.
        notes: Takes a note on what is beside the list.

    Raises:
        InputError: It is no JSON, or has no such list or two of them.
    """
    if _has_object_a_line(text):
        yield from line_records(path, text)
        return
    document = _Document(path, text.replace("\r\n", "\n").replace("\r", "\n"))
    document.skip_space()
    if document.next == "[":
        yield from document.records()
    elif document.next == "{":
        yield from document.only_list(notes)
    else:
        raise document.error("no list of objects")
    document.skip_space()
    if document.next:
        raise document.error("text after the end of the list")


def _has_object_a_line(text: str) -> bool:
    """Whether the first line is an object of its own, and not the last line."""
    first, _, rest = text.lstrip().replace("\r\n", "\n").replace("\r", "\n").partition("\n")
    if not rest.strip():
        return False
    try:
        return isinstance(load_json(first), dict)
    except ValueError:
        return False


def _decoded(where: str, text: str, start: int) -> tuple[Any, int]:
    """The value at a place of a text, and where it ends."""
    try:
        return decode_json(_DECODER, text, start)
    except RepeatedKeyError as error:
        raise InputError(f"the key {error} stands twice", where=where, expected="each key once") from None
    except NestingError:
        raise InputError(
            "an object with too many others inside each other", where=where, expected="a flat object"
        ) from None


class _Document:
    """A JSON text that is read from its begin to its end."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self.position = 0
        self._line = 1
        self._counted = 0

    @property
    def next(self) -> str:
        """The next character; empty at the end."""
        return self.text[self.position : self.position + 1]

    @property
    def line(self) -> int:
        """The line of the position, which never goes back."""
        self._line += self.text.count("\n", self._counted, self.position)
        self._counted = self.position
        return self._line

    @property
    def where(self) -> str:
        """The file and the line of the position."""
        return f"{self.path}:{self.line}"

    def skip_space(self) -> None:
        """Passes the space that comes next."""
        match = _SPACE.match(self.text, self.position)
        assert match is not None  # It matches no space, too.
        self.position = match.end()

    def skip(self, mark: str) -> bool:
        """Passes a mark and the space around it, if it comes next."""
        self.skip_space()
        if self.next != mark:
            return False
        self.position += 1
        self.skip_space()
        return True

    def error(self, problem: str, expected: str = _EXPECTED) -> InputError:
        """The error for what comes next."""
        shown = self.text[self.position : self.position + 60].partition("\n")[0]
        return InputError(
            f"{problem}: {shown!r}" if shown else f"{problem}: the file ends here",
            where=self.where,
            expected=expected,
            todo="Export the file again, or mend this line.",
        )

    def value(self) -> Any:
        """The value that comes next."""
        where = self.where
        try:
            value, self.position = _decoded(where, self.text, self.position)
        except json.JSONDecodeError as error:
            self.position = min(error.pos, len(self.text.rstrip()))
            raise self.error(f"damaged JSON ({error.msg})", "JSON") from None
        return value

    def records(self) -> Iterator[Record]:
        """The objects of the list that comes next."""
        self.skip("[")
        if self.skip("]"):
            return
        while True:
            if self.next != "{":
                raise self.error("not a JSON object", "a list of objects")
            yield self.line, self.value()
            if self.skip("]"):
                return
            if not self.skip(","):
                raise self.error("damaged JSON: neither , nor ] after an object", "JSON")

    def only_list(self, notes: list[str]) -> Iterator[Record]:
        """The objects of the only list of objects in the object that comes next."""
        begin = self.where
        self.skip("{")
        name: str | None = None
        beside: list[str] = []
        is_empty_list = False
        while not self.skip("}"):
            if (beside or name is not None) and not self.skip(","):
                raise self.error("damaged JSON: neither , nor } after a value", "JSON")
            if self.next != '"':
                raise self.error("damaged JSON: no key", "JSON")
            key = self.value()
            if not self.skip(":"):
                raise self.error("damaged JSON: no : after a key", "JSON")
            if _LIST_OF_OBJECTS.match(self.text, self.position):
                if name is not None:
                    raise self.error(f"two lists of objects, {name!r} and {key!r}", "one in each file")
                name = key
                yield from self.records()
            else:
                is_empty_list = self.value() == [] or is_empty_list
                beside.append(key)
        if name is None and not is_empty_list:
            raise InputError("no list of objects", where=begin, expected=_EXPECTED)
        if name is not None and beside:
            notes.append(f"{self.path.name}: the records of {name!r} are read; not read: {', '.join(beside)}")
