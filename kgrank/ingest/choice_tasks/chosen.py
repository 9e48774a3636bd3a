"""What was chosen in a task, in the ways in which tables say it: marks, numbers of alternatives, units, places."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.choice_tasks.dummies import marks
from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import LINE

TASK = ["category", "person", "task"]
"""The columns that tell tasks apart."""

_NOTHING = ["0", "none", "no", "nothing", ""]
"""Words that say of a whole task that no alternative was chosen."""


def chosen_numbers(frame: pl.DataFrame, mark: str, path: Path, rejects: Rejects) -> pl.DataFrame:
    """The long form with its column ``chosen`` as a number, and a column ``worst`` of 0 and 1.

    Args:
        frame: One row an alternative, in the columns of ``TASK``, alternative, chosen, worst (texts), LINE.
        mark: ``chosen``: 1 on the chosen row and -1 on the worst, or the alternative that is chosen on every
            row of a task. ``units``: how many were bought. ``rank``: a place, null where there is none.
        path: The file, for messages.
        rejects: Takes notes on how the columns are read.

    Raises:
        InputError: A cell is none of this.
    """
    if mark == "rank":
        return places(frame, path).with_columns(pl.lit(0.0).alias("worst"))
    if mark == "units":
        chosen = _marked(frame, "chosen", "units", path)
    else:
        chosen = _on_rows(frame, "chosen", path, rejects)
    worst = (chosen == -1.0).cast(pl.Float64)
    if frame["worst"].is_not_null().any():
        worst = _on_rows(frame.with_columns(pl.col("worst").fill_null("0")), "worst", path, rejects).abs()
    elif (worst > 0).any():
        rejects.notes.append(f"{path.name}: -1 in chosen is read as the worst alternative of its task")
    return frame.with_columns(chosen.clip(lower_bound=0.0).alias("chosen"), worst.alias("worst"))


def chosen_keys(
    cells: pl.Series, names: dict[str, str], column: str, path: Path, rejects: Rejects
) -> pl.Series:
    """The key of the chosen alternative on each row of a wide table; null where it is none.

    Args:
        cells: What the table says: keys, names or numbers of alternatives.
        names: What each key is called, in the order in which alternatives are numbered.
        column: The field, for the note.
        path: The file, for the note.
        rejects: Takes a note where numbers are read as places in the mapping.
    """
    by_word = {_same(key): key for key in names}
    by_name = {_same(name): key for key, name in names.items()}
    words = {text: _same(text) for text in cells.drop_nulls().unique()}
    for known in (by_word, by_name):
        if any(word in known for word in words.values()):
            read = {text: known.get(word) for text, word in words.items()}
            return cells.replace_strict(read, default=None, return_dtype=pl.String)
    places = {str(n): key for n, key in enumerate(names, 1)}
    if any(word in places for word in words.values()):
        order = ", ".join(f"{n} {names[key]}" for n, key in places.items())
        rejects.notes.append(f"{path.name}: {column} is read as the number of the alternative: {order}")
    return cells.replace_strict(
        {text: places.get(word) for text, word in words.items()}, default=None, return_dtype=pl.String
    )


def places(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The column ``chosen`` as places from 1, null where there is none.

    Raises:
        InputError: A cell is no place.
    """
    number = pl.col("chosen").cast(pl.Float64, strict=False)
    bad = frame.filter(
        pl.col("chosen").is_not_null() & ~(number.is_finite() & (number >= 1)).fill_null(False)
    )
    if len(bad):
        raise InputError(
            f"rank is {bad['chosen'][0]!r}",
            where=f"{path}:{bad[LINE][0]}",
            expected="a number from 1, the best, or nothing",
        )
    return frame.with_columns(number)


def first_is_chosen(frame: pl.DataFrame, path: Path) -> pl.Series:
    """The column ``chosen`` of a table of pairs as 1 and 0.

    Raises:
        InputError: A cell is neither.
    """
    return _marked(frame, "chosen", "chosen", path)


def _on_rows(frame: pl.DataFrame, column: str, path: Path, rejects: Rejects) -> pl.Series:
    """1 on the rows that a column marks, or whose alternative it names on every row of the task."""
    label = pl.coalesce("alternative", pl.int_range(1, pl.len() + 1).over(TASK).cast(pl.String))
    rows = frame.select(*TASK, LINE, pl.col(column).alias("cell"), label.alias("label"))
    rows = rows.with_columns(_same_text(rows["cell"]), _same_text(rows["label"]))
    several = rows.filter(pl.len().over(TASK) > 1)
    constant = several.select((pl.col("cell").n_unique().over(TASK) == 1).all()).item()
    named = (pl.col("cell") == pl.col("label")).fill_null(False)
    if not len(several) or not constant or not several.select(named.any()).item():
        return _marked(frame, column, column, path, lowest=-1.0 if column == "chosen" else 0.0)
    nothing = pl.col("cell").is_null() | pl.col("cell").is_in(_NOTHING)
    stray = rows.filter(~(named.any().over(TASK) | nothing))
    if len(stray):
        row = stray.row(0, named=True)
        raise InputError(
            f"{column} is {row['cell']!r}, which is no alternative of its task",
            where=f"{path}:{row[LINE]}",
            expected=f"one of {', '.join(rows['label'].unique().sort()[:8])}, or 0 for none",
        )
    rejects.notes.append(f"{path.name}: {column} is read as the alternative that the whole task names")
    return rows.select(named.cast(pl.Float64)).to_series()


def _marked(frame: pl.DataFrame, column: str, mark: str, path: Path, *, lowest: float = 0.0) -> pl.Series:
    """A column of marks, or of units, as numbers."""
    number = marks(frame[column])
    odd = number.is_null() | ~number.is_finite() | (number < lowest)
    if mark != "units":
        odd = odd | ~number.is_in([-1.0, 0.0, 1.0])
    bad = frame.filter(odd.fill_null(True))
    if len(bad):
        cell = bad[column][0]
        raise InputError(
            f"{mark} is {'empty' if cell is None else repr(cell)}",
            where=f"{path}:{bad[LINE][0]}",
            expected="a number from 0" if mark == "units" else "0 or 1",
            todo=_remedy(mark, cell),
        )
    return number


def _remedy(mark: str, cell: str | None) -> str | None:
    """How a cell that is no mark can be read."""
    if mark == "units":
        return None
    if cell is None:
        return f"Write 0 where it was not {mark}."
    if marks(pl.Series([cell]))[0] is not None:
        return "For units bought, name the column in the mapping: units." if mark == "chosen" else None
    return f"Say what its words mean in the mapping: {mark}: {{column: …, rename: {{{cell!r}: 1, …: 0}}}}."


def _same(text: str) -> str:
    """A word as alternatives are compared: 1.0 and 1 are the same."""
    try:
        number = float(text)
    except ValueError:
        return text.casefold()
    return str(int(number)) if number.is_integer() else str(number)


def _same_text(cells: pl.Series) -> pl.Series:
    """The words of a column as alternatives are compared."""
    words = {text: _same(text) for text in cells.drop_nulls().unique()}
    return cells.replace_strict(words, default=None, return_dtype=pl.String)
