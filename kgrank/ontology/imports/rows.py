"""Reading the files that other systems write."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from kgrank.errors import InputError, did_you_mean


def read_text(path: Path) -> str:
    """The text of a UTF-8 file.

    Raises:
        InputError: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path) from None
    except UnicodeDecodeError:
        raise InputError("the file is not UTF-8", where=path, todo="Save it as UTF-8.") from None


def read_rows(path: Path, needed: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """The rows of a CSV file by column, each with its place ``file:line``.

    The separator is the most frequent of comma, semicolon and tab in the first line.

    Raises:
        InputError: It cannot be read, or a needed column is missing.
    """
    text = read_text(path)
    first = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    heads = [h.strip() for h in reader.fieldnames or ()]
    for column in needed:
        if column not in heads:
            raise InputError(
                f"there is no column {column}", where=f"{path}:1", todo=did_you_mean(column, heads)
            )
    return [
        (
            f"{path}:{reader.line_num}",
            {k.strip(): (v or "").strip() for k, v in row.items() if isinstance(v, str | None) and k},
        )
        for row in reader
    ]
