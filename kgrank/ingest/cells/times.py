"""Columns of times as seconds since 1970, in whichever way people and programs write them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.mapping import TimeField
from kgrank.ingest.read import require
from kgrank.ingest.rows import LINE

DAY = 86_400
EARLIEST = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp())
"""No shop kept a log of events before 1990: earlier times are misread."""

MOST = 0.9
"""Share of a column's numbers that a form other than seconds since 1970 must explain."""

REPEATED = 0.1
"""Share of distinct texts up to which each is read once: a day stands in many rows."""

EXCEL_EPOCH = int(datetime(1899, 12, 30, tzinfo=UTC).timestamp())
"""Day 0 of the serial days of Excel and LibreOffice, from March 1900 on."""

_DIGITS: Mapping[int, str] = {
    8: "%Y%m%d",
    14: "%Y%m%d%H%M%S",
    12: "%Y%m%d%H%M",
    10: "%Y%m%d%H",
    6: "%Y%m",
    4: "%Y",
}
"""Dates and times written as digits alone, by their number."""

_OTHER_DIGITS = ("%Y%m%d", "%d%m%Y", "%m%d%Y", "%y%m%d", "%d%m%y", "%m%d%y")
"""Dates of digits alone, to be suggested; only the first is read without being named, the others are too alike."""

_OF_PROGRAMS = (
    # ISO 8601 with the name of the zone behind the offset, as Java writes it.
    (r"(Z|[+-]\d{2}:?\d{2})\[[A-Za-z0-9_/+-]+\]$", "${1}"),
    # 01/Mar/2026:12:00:00 +0000, in the logs of web servers.
    (r"^(\d{1,2})/([A-Za-z]{3})/(\d{4}):(\d)", "${1} ${2} ${3} ${4}"),
    # Sun Mar 01 12:00:00 UTC 2026: Java, C, Ruby and Go.
    (
        r"^[A-Za-z]{3} ([A-Za-z]{3}) +(\d{1,2}) (\d{1,2}:\d{2}:\d{2})( (?:UTC|GMT|[+-]\d{4}))? (\d{4})$",
        "${1} ${2} ${5} ${3}${4}",
    ),
    # Sun Mar 01 2026 12:00:00 GMT+0100 (Central European Standard Time): JavaScript.
    (r"^[A-Za-z]{3} ([A-Za-z]{3} \d{1,2} \d{4} [\d:]+) GMT([+-]\d{4})(?: \(.*\))?$", "${1} ${2}"),
    (r"^(\d{4}) ?[年년] ?(\d{1,2}) ?[月월] ?(\d{1,2}) ?[日일]", "${1}-${2}-${3}"),
)
"""What programs and East Asian calendars write, and the same in an order that is read."""

_CLOCK = r"(?:(?:[T ]|, ?) *(\d{1,2}:\d{2})(:\d{2}(?:[.,]\d+)?)?(?: ?([AaPp][Mm]))?)?"
_ZONE = r" ?(Z|z|UTC|utc|GMT|[+-]\d{2}(?::?\d{2})?)?$"
_YEAR_FIRST = rf"^(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_CLOCK}{_ZONE}"
_YEAR_LAST = rf"^(\d{{1,2}})([-/.])(\d{{1,2}})[-/.](\d{{4}}){_CLOCK}{_ZONE}"
_NAMED_MONTH = rf"^(?:[A-Za-z]{{3,9}},? )?(\d{{1,2}})[ -]([A-Za-z]{{3,9}})\.?,?[ -](\d{{4}}){_CLOCK}{_ZONE}"
_MONTH_THEN_DAY = rf"^(?:[A-Za-z]{{3,9}},? )?([A-Za-z]{{3,9}})\.? (\d{{1,2}}),? (\d{{4}}){_CLOCK}{_ZONE}"
_MONTHS = {
    month: f"{k:02d}"
    for k, month in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}


def seconds(table: pl.DataFrame, field: TimeField, path: Path) -> pl.Series:
    """Seconds since 1970 on each row; null where the text is no time, or one before 1990.

    Raises:
        InputError: Most times are before 1990, or days and months can be read in two ways.
    """
    cell = table[require(table, field.column, path)]
    if field.clock is not None:
        cell = cell + " " + table[require(table, field.clock, path)].fill_null("00:00")
    rows = pl.DataFrame([cell.alias("cell"), table[LINE]])
    distinct = rows.unique("cell", keep="first", maintain_order=True)
    if len(distinct) > REPEATED * len(rows):
        return _moments(cell, table[LINE], field, path)
    moments = _moments(distinct["cell"], distinct[LINE], field, path)
    known = distinct.select("cell", moments.alias("moment"))
    joined = rows.join(known, on="cell", how="left", nulls_equal=True, maintain_order="left")
    return joined["moment"].alias(cell.name)


def _moments(cell: pl.Series, lines: pl.Series, field: TimeField, path: Path) -> pl.Series:
    """The times of texts, which stand in the given lines."""
    if field.format is not None:
        return _plausible(_written(cell, field.format, field, path), cell, "", lines, field, path)
    number = cell.cast(pl.Float64, strict=False)
    number = number.zip_with(number.is_finite().fill_null(False), pl.Series([None], dtype=pl.Float64))
    moments, read_as = _from_numbers(number, field, path)
    other = cell.is_not_null() & number.is_null()
    if other.any():
        moments = moments.zip_with(~other, _from_texts(cell, lines, field, path))
    return _plausible(moments, cell, read_as, lines, field, path)


def latest() -> int:
    """The last second of a plausible time: tomorrow."""
    return int(time.time()) + DAY


def _plausible(
    moments: pl.Series, cell: pl.Series, read_as: str, lines: pl.Series, field: TimeField, path: Path
) -> pl.Series:
    early = (moments < EARLIEST).fill_null(False)
    if int(early.sum()) > 0.5 * moments.count():
        first = int(early.arg_true()[0])
        day = datetime.fromtimestamp(0, UTC).strftime("%Y-%m-%d")
        if moments[first] > -(2**35):
            day = pl.from_epoch(moments[first : first + 1], "s").dt.strftime("%Y-%m-%d")[0]
        by = f' by the format "{field.format}"' if field.format is not None else read_as
        raise InputError(
            f"the time {cell[first]!r}{by} is {day}",
            where=f"{path}:{lines[first]}",
            expected="times from 1990 to tomorrow",
            todo="Write how they are written in the mapping, e.g. `time: "
            f'{{column: {field.column}, format: "{_suggested(cell, field, path)}"}}`; '
            "or `time: order` where the rows are in "
            "order and have no clock.",
        )
    return moments.zip_with(~early, pl.Series([None], dtype=pl.Int64))


def _suggested(cell: pl.Series, field: TimeField, path: Path) -> str:
    """The format of digits that makes most times plausible."""
    counts = {form: _plausible_count(_written(cell, form, field, path)) for form in _OTHER_DIGITS}
    return max(counts, key=lambda form: counts[form])


def _from_numbers(number: pl.Series, field: TimeField, path: Path) -> tuple[pl.Series, str]:
    """Numbers as times, and as what they were read; by the first form that makes them plausible."""
    size = number.abs()
    epoch = pl.select(
        pl.when(size >= 1e17)
        .then(number / 1e9)
        .when(size >= 1e14)
        .then(number / 1e6)
        .when(size >= 1e11)
        .then(number / 1e3)
        .otherwise(number)
        .floor()
        .cast(pl.Int64, strict=False)
    ).to_series()
    read_as = " as seconds since 1970"
    count = number.count()
    if not count or _plausible_count(epoch) > 0.5 * count:
        return epoch, read_as
    for form in (_digits, _excel_days):
        moments = form(number, field, path)
        if _plausible_count(moments) >= MOST * count:
            return moments, read_as
    return epoch, read_as


def _plausible_count(moments: pl.Series) -> int:
    return int(moments.is_between(EARLIEST, latest()).sum())


def _digits(number: pl.Series, field: TimeField, path: Path) -> pl.Series:
    """Numbers whose digits are a date: 20260301, 202603011030, 2026."""
    text = number.cast(pl.Int64, strict=False).cast(pl.String)
    moments = pl.Series([None], dtype=pl.Int64).new_from_index(0, len(number))
    whole = number == number.floor()
    for length, form in _DIGITS.items():
        fits = (whole & (text.str.len_chars() == length)).fill_null(False)
        if fits.any():
            # polars reads no date without a day.
            padded = text + {4: "0101", 6: "01"}.get(length, "") + ("00" if length == 10 else "")
            known = {4: "%Y%m%d", 6: "%Y%m%d", 10: "%Y%m%d%H%M"}.get(length, form)
            moments = moments.zip_with(~fits, _written(padded, known, field, path))
    return moments


def _excel_days(number: pl.Series, field: TimeField, path: Path) -> pl.Series:
    """Serial days, as spreadsheets keep times: 45000.5 is noon of 15 March 2023."""
    sensible = number.is_between(EARLIEST / DAY + 25_569, 1e5).fill_null(False)
    days = number.zip_with(sensible, pl.Series([None], dtype=pl.Float64))
    since = (days * DAY).round().cast(pl.Int64) + EXCEL_EPOCH
    return _zoned(pl.select(pl.from_epoch(since, "s")).to_series(), field, path)


def _from_texts(cell: pl.Series, lines: pl.Series, field: TimeField, path: Path) -> pl.Series:
    """Texts as times; the first way of writing a date that fits counts."""
    text = pl.lit(cell)
    for pattern, rewritten in _OF_PROGRAMS:
        text = text.str.replace(pattern, rewritten)
    rows = pl.DataFrame({"text": pl.select(text).to_series(), "line": lines})
    parts = _parts(rows["text"], _YEAR_FIRST, ["year", "month", "day"])
    if parts["year"].null_count() > cell.null_count():
        parts = _first_known(parts, _year_last(rows, field, path))
        for pattern, names in (
            (_NAMED_MONTH, ["day", "month", "year"]),
            (_MONTH_THEN_DAY, ["month", "day", "year"]),
        ):
            named = _parts(rows["text"], pattern, names)
            month = pl.col("month").str.slice(0, 3).str.to_lowercase()
            named = named.with_columns(month.replace_strict(_MONTHS, default=None, return_dtype=pl.String))
            parts = _first_known(parts, named)
    day = pl.concat_str("year", *(pl.col(c).str.zfill(2) for c in ("month", "day")), separator="-")
    half = pl.col("half").str.to_uppercase()
    clock = pl.col("clock").fill_null("00:00").str.zfill(5)
    second = pl.col("second").fill_null(":00").str.slice(0, 3)
    parts = parts.with_columns(
        pl.concat_str(day, pl.lit("T"), clock, second).alias("text"),
        half.alias("half"),
        pl.col("zone").str.replace("(?i)^(z|utc|gmt)$", "+00:00").str.replace(r"^([+-]\d{2})$", "${1}:00"),
    )
    naive = parts["text"].str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False)
    by_halves = (parts["text"] + parts["half"]).str.to_datetime("%Y-%m-%dT%I:%M:%S%p", strict=False)
    naive = naive.zip_with(parts["half"].is_null(), by_halves)
    stamped = (naive.dt.strftime("%Y-%m-%dT%H:%M:%S") + parts["zone"]).str.to_datetime(
        "%Y-%m-%dT%H:%M:%S%#z", strict=False, time_zone="UTC"
    )
    return stamped.dt.epoch("s").zip_with(parts["zone"].is_not_null(), _zoned(naive, field, path))


def _parts(text: pl.Series, pattern: str, names: list[str]) -> pl.DataFrame:
    groups = text.str.extract_groups(pattern).struct.unnest()
    return groups.rename(dict(zip(groups.columns, [*names, "clock", "second", "half", "zone"], strict=True)))


def _first_known(parts: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    known = parts["year"].is_not_null()
    return pl.DataFrame([parts[c].zip_with(known, others[c]) for c in parts.columns])


def _year_last(rows: pl.DataFrame, field: TimeField, path: Path) -> pl.DataFrame:
    """Dates with the year last: the day is first with full stops, else where a row of the column shows it.

    Raises:
        InputError: No row, or rows of both kinds, show whether the day or the month is first.
    """
    parts = _parts(rows["text"], _YEAR_LAST, ["first", "mark", "then", "year"])
    first, then = pl.col("first").cast(pl.Int64), pl.col("then").cast(pl.Int64)
    valid = (first.is_between(1, 31) & then.is_between(1, 31)) & ((first <= 12) | (then <= 12))
    slashed = parts.with_columns(rows["text"], rows["line"]).filter(valid & (pl.col("mark") != "."))
    day_first, month_first = (slashed.filter(part > 12) for part in (first, then))
    unclear = slashed.filter((first <= 12) & (then <= 12) & (first != then))
    if len(unclear) and bool(len(day_first)) == bool(len(month_first)):
        row = unclear.row(0, named=True)
        year, a, b = row["year"], int(row["first"]), int(row["then"])
        clock = "" if row["clock"] is None else " %I:%M" if row["half"] else " %H:%M"
        clock += ("" if row["second"] is None else ":%S") + (" %p" if row["half"] else "")
        mark, key = row["mark"], f"time: {{column: {field.column}, format: "
        ways = [f'`{key}"%{x}{mark}%{y}{mark}%Y{clock}"}}`' for x, y in ("dm", "md")]
        raise InputError(
            f"the time {row['text']!r} can be read in two ways: {year}-{b:02d}-{a:02d} with the day first, "
            f"{year}-{a:02d}-{b:02d} with the month first",
            where=f"{path}:{row['line']}",
            expected="rows that show which is first",
            todo=f"Write {ways[0]} or {ways[1]} in the mapping.",
        )
    american = pl.col("mark").ne(".") & (then.gt(12) | (then.le(12) & first.le(12) & bool(len(month_first))))
    return parts.select(
        "year",
        pl.when(american).then("first").otherwise("then").alias("month"),
        pl.when(american).then("then").otherwise("first").alias("day"),
        "clock",
        "second",
        "half",
        "zone",
    )


def _written(cell: pl.Series, form: str, field: TimeField, path: Path) -> pl.Series:
    clock = any(code in form for code in ("%H", "%I", "%T", "%R", "%X", "%c", "%s", "%p"))
    try:
        if clock and ("%z" in form or "%#z" in form or "%:z" in form):
            return cell.str.to_datetime(form, strict=False, time_zone="UTC").dt.epoch("s")
        naive = (
            cell.str.to_datetime(form, strict=False)
            if clock
            else cell.str.to_date(form, strict=False).cast(pl.Datetime)
        )
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"the time format {form!r} cannot be used: {reason}", where=path) from None
    return _zoned(naive, field, path)


def _zoned(naive: pl.Series, field: TimeField, path: Path) -> pl.Series:
    try:
        return naive.dt.replace_time_zone(field.zone, ambiguous="earliest", non_existent="null").dt.epoch("s")
    except pl.exceptions.PolarsError:
        raise InputError(
            f"unknown time zone {field.zone!r}", where=path, expected="a name such as Asia/Shanghai"
        ) from None
