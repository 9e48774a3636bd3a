"""Limits on what comes out of packed files: a small file can unpack to more than a machine holds."""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from pathlib import Path
from typing import IO

from kgrank.errors import InputError

MOST_MEGABYTES = 1000
"""Megabytes that a packed file may unpack to where the mapping says nothing."""

MOST_CELLS = 20_000_000
"""Cells of a sheet, empty ones among them: a reader makes room for all between the first and the last."""

CELL_BYTES = 8
"""Bytes that a cell of a Parquet file needs at least when it is read, however it was packed."""

_PIECE = 1 << 20
_HIGHEST_RATIO = 1040
"""Bytes that one byte of a gzip file can stand for at most."""

_CELL = re.compile(rb'<(?:\w+:)?c r="([A-Z]{1,3})([0-9]{1,7})"[^>]*[^/]>')
"""A cell with something in it."""

_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)


def unpack_gzip(path: Path, megabytes: int) -> bytes:
    """What a gzip file holds.

    Raises:
        InputError: It is more than the limit, or the file is not whole.
    """
    try:
        if path.stat().st_size * _HIGHEST_RATIO > megabytes * 1_000_000:
            # Read twice, since what is refused should not fill the memory before.
            _measure(path, megabytes)
        with gzip.open(path) as file:
            return file.read()
    except (OSError, EOFError, ValueError, zlib.error):
        raise InputError(
            "not a whole gzip file", where=path, expected="a gzip file", todo="Pack it again."
        ) from None


def _measure(path: Path, megabytes: int) -> None:
    size = 0
    with gzip.open(path) as file:
        while piece := file.read(_PIECE):
            size += len(piece)
            if size > megabytes * 1_000_000:
                raise _too_much(path, None, megabytes, "gunzip")


def check_parquet(path: Path, rows: int, columns: int, encoded: int, megabytes: int) -> None:
    """Refuses a Parquet file that is too large when it is read.

    Args:
        path: The file.
        rows: Of the table.
        columns: Of the table.
        encoded: Bytes of its row groups before they were packed.
        megabytes: The limit.

    Raises:
        InputError: It is more than the limit.
    """
    size = max(encoded, rows * columns * CELL_BYTES)
    if size > megabytes * 1_000_000:
        raise _too_much(path, size, megabytes, None)


def check_workbook(path: Path, megabytes: int | None = None) -> None:
    """Refuses a workbook whose parts are too large, or one of whose sheets has a cell far outside.

    Args:
        path: The file.
        megabytes: The limit; None where no mapping can raise it.

    Raises:
        InputError: It is more than the limit, or the file is not whole.
    """
    try:
        with zipfile.ZipFile(path) as book:
            left = (megabytes or MOST_MEGABYTES) * 1_000_000
            for part in book.infolist():
                with book.open(part) as file:
                    left -= _check_part(path, part.filename, file, left, megabytes)
    except (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zlib.error, zipfile.BadZipFile):
        raise InputError(
            "not a workbook", where=path, expected="an xlsx file", todo="Save it again."
        ) from None


def _check_part(path: Path, name: str, file: IO[bytes], left: int, megabytes: int | None) -> int:
    """The size of one part of a workbook, in bytes."""
    is_sheet = _SHEET.fullmatch(name) is not None
    size, cells = 0, 0
    last_row, last_column = 0, 0
    rest = b""
    while piece := file.read(_PIECE):
        size += len(piece)
        if size > left:
            raise _too_much(path, None, megabytes, None)
        if not is_sheet:
            continue
        text = rest + piece
        end = text.rfind(b">") + 1
        text, rest = text[:end], text[end:][-200:]
        for column, row in _CELL.findall(text):
            cells += 1
            last_row, last_column = max(last_row, int(row)), max(last_column, _number(column))
    if last_row * last_column > MOST_CELLS and last_row * last_column > 4 * cells:
        raise InputError(
            f"a sheet reaches to {_letters(last_column)}{last_row}: {last_row * last_column:,} cells, of which "
            f"{cells:,} hold something",
            where=path,
            expected=f"a table of at most {MOST_CELLS:,} cells",
            todo="Delete the stray cells (Ctrl+End goes to the last one), or save the sheet as CSV.",
        )
    return size


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, digit = divmod(number - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


def _too_much(path: Path, size: int | None, megabytes: int | None, program: str | None) -> InputError:
    """The error with both sizes; ``size`` is None where more was not unpacked."""
    limit = megabytes or MOST_MEGABYTES
    packed = path.stat().st_size
    unpacked = f"more than {limit:,} MB" if size is None else f"{-(-size // 1_000_000):,} MB"
    enough = 2 * limit if size is None else -(-size // 1_000_000)
    unpack = f", or unpack it yourself ({program} {path.name})" if program else ""
    remedy = f"write `unpacked: {enough}` for this file in the mapping{unpack}"
    return InputError(
        f"a packed file of {packed:,} bytes that unpacks to {unpacked}",
        where=path,
        expected=f"at most {limit:,} MB",
        todo=f"If it is what it should be, {remedy if megabytes else 'save its sheets as CSV'}.",
    )
