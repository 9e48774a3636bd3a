"""Workbooks (xlsx): one sheet as rows of text."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path

from kgrank.errors import InputError
from kgrank.ingest.formats.grid import Content, grid_table, head_names
from kgrank.unpacked import check_workbook


def workbook_table(path: Path, sheet: str | None, header: tuple[str, ...], unpacked: int) -> Content:
    """The rows of a sheet, by default the first, with their numbers in it; ``unpacked`` is a limit in megabytes.

    Raises:
        InputError: The file is no workbook, is too large, or has no such sheet.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    check_workbook(path, unpacked)
    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise InputError(
                f"there is no sheet {sheet!r}", where=path, expected=f"one of {', '.join(names)}"
            )
        cells = book.get_sheet_by_name(sheet or names[0]).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError, IndexError):
        raise InputError(
            "not a workbook", where=path, expected="an xlsx file", todo="Save it again."
        ) from None
    rows = ((n, [_text(cell) for cell in row]) for n, row in enumerate(cells, 1))
    notes = []
    if sheet is None and len(names) > 1:
        others = ", ".join(names[1:])
        notes.append(f"{path.name}: the sheet {names[0]} is read; for another ({others}) write `sheet`")
    if header:
        return Content(grid_table(path, head_names(header, str(path)), rows), notes)
    line, head = next(((n, row) for n, row in rows if any(row)), (1, []))
    return Content(grid_table(path, head_names(head, f"{path}:{line}"), rows), notes)


def _text(cell: object) -> str | None:
    """A cell as text: whole numbers without a point, times as ISO 8601, durations in seconds."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, timedelta):
        return _text(cell.total_seconds())
    if isinstance(cell, (datetime, date, time)):
        return cell.isoformat()
    return None if cell is None or cell == "" else str(cell)
