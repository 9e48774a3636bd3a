"""How a file is written: its encoding, and what parts its columns."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Mapping
from pathlib import Path

from kgrank.errors import InputError
from kgrank.ingest.mapping import ENDINGS, Source
from kgrank.profiling.doubts import Doubt, Weight

SEPARATORS = (";", "\t", "|", ",")

_SAMPLE = 4_000_000
"""Bytes that are looked at."""

_ROWS = 200
"""Rows in which the number of cells is counted."""

_LETTERS: Mapping[str, re.Pattern[str]] = {
    "gb18030": re.compile("[\u4e00-\u9fff]"),
    "shift_jis": re.compile("[\u3040-\u30ff]"),
    "euc_kr": re.compile("[\uac00-\ud7af]"),
    "cp1251": re.compile("[\u0410-\u044fЁё№]"),
    "cp1252": re.compile("[äöüÄÖÜßéèêëàâçîïôûùœÉÈÀÇñÑáíóúÁÍÓÚ¿¡€£°²³®™–—’‘“”…«»ãõøåæØÅÆ½¼×]"),
}
"""Encodings that are tried where a file is no UTF-8, with the letters that their texts are made of."""

_FREQUENT_HANZI, _LAST_FREQUENT = b"\xa1", b"\xd7"
"""First bytes of the frequent characters of GB 2312; other scripts read as GB give rare ones."""

_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def sniff(folder: Path, file: str) -> tuple[Source, list[Doubt]]:
    """A source with the encoding and the separator of a file, and what is doubtful about them.

    Raises:
        InputError: The ending says no format, or the file cannot be read.
    """
    path = folder / file
    endings = [s.lower() for s in path.suffixes if s.lower() != ".gz"]
    if not endings or endings[-1] not in ENDINGS:
        raise InputError(
            f"the ending of {path.name} says no format",
            where=path,
            expected=" ".join(ENDINGS),
            todo="Save it as CSV, xlsx, Parquet, JSON or JSON Lines; .gz may follow.",
        )
    kind = ENDINGS[endings[-1]]
    if kind in ("parquet", "xlsx"):
        return Source(file=file), []
    data = _sample(path)
    encoding, doubts = _encoding(data, file)
    if kind in ("json", "jsonl"):
        return Source(file=file, encoding=encoding), doubts
    separator = _separator(data.decode(encoding, errors="ignore"))
    usual = "\t" if endings[-1] == ".tsv" else ","
    return Source(file=file, encoding=encoding, separator=None if separator == usual else separator), doubts


def _sample(path: Path) -> bytes:
    try:
        if path.suffix.lower() == ".gz":
            with gzip.open(path) as packed:
                return packed.read(_SAMPLE)
        with path.open("rb") as file:
            return file.read(_SAMPLE)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "not a whole gzip file"
        raise InputError(f"cannot be read: {reason}", where=path) from None


def _encoding(data: bytes, file: str) -> tuple[str, list[Doubt]]:
    """UTF-8 where it is that; else by the byte-order mark, the zeros of UTF-16, or the most plausible text."""
    for mark, name in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return name, []
    if data[:2000].count(b"\x00") > len(data[:2000]) // 4:
        name = "utf-16-le" if data[1:2] == b"\x00" else "utf-16-be"
        return name, [_guessed(file, name)]
    try:
        # A sample may end within a character.
        data[: _SAMPLE - 4].decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < min(len(data), _SAMPLE - 4) - 4 or len(data) < _SAMPLE:
            name = max(_LETTERS, key=lambda e: _plausibility(data, e))
            return name, [_guessed(file, name)]
    return "utf-8", []


def _plausibility(data: bytes, encoding: str) -> float:
    """Share of the characters beyond ASCII that letters of one script are likely to be; 0 where it fails."""
    try:
        text = data[:200_000].decode(encoding)
    except UnicodeDecodeError as error:
        if error.start < min(len(data), 200_000) - 4:
            return 0.0
        text = data[: error.start].decode(encoding)
    odd: list[str] = re.findall("[^\x00-\x7f]", text)
    if not odd:
        return 0.0
    if encoding == "gb18030":
        frequent = [c for c in odd if _FREQUENT_HANZI <= c.encode("gb18030")[:1] <= _LAST_FREQUENT]
        return len(frequent) / len(odd)
    likely = len(_LETTERS[encoding].findall(text)) / len(odd)
    # Western words have these letters among plain ones, words of other scripts do not.
    beside_plain = re.findall("(?<=[A-Za-z])[^\x00-\x7f]|[^\x00-\x7f](?=[A-Za-z])", text)
    share = len(beside_plain) / len(odd)
    return likely * (0.5 + 0.5 * (share if encoding == "cp1252" else 1.0 - share))


def _guessed(file: str, encoding: str) -> Doubt:
    return Doubt(
        Weight.MEANING,
        file,
        "",
        f"The file is no UTF-8; it is read as {encoding}.",
        remedy="If letters look wrong, write another `encoding` for the file in mapping.yaml.",
    )


def _separator(text: str) -> str:
    """What parts the columns: gives most rows the same number of cells, and as many as possible."""
    hint = text.lstrip('\ufeff"')[:6].lower()
    if hint.startswith("sep="):
        return hint[4] if hint[4:5] != "\\" else "\t"
    return max(SEPARATORS, key=lambda s: _regularity(text, s))


def _regularity(text: str, separator: str) -> tuple[float, int]:
    widths = []
    try:
        reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=separator)
        for row, _ in zip(reader, range(_ROWS), strict=False):
            if row:
                widths.append(len(row))
    except csv.Error:
        return 0.0, 0
    if not widths or widths[0] < 2:
        return 0.0, 0
    return sum(w == widths[0] for w in widths) / len(widths), widths[0]
