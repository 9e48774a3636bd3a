"""Missing values of a file of items as a sheet of proposals, and the accepted ones back into the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kgrank.errors import InputError, did_you_mean
from kgrank.language.values.model import Proposal, ValueModel
from kgrank.language.values.titles import Example, plain
from kgrank.ontology.tables.files import read_sheet, write_sheet
from kgrank.ontology.tables.incoming import cell_text

HEADS = ("item", "attribute", "value", "confidence", "words", "accept")
DECIDED = ("item", "attribute", "value", "accepted")

_YES = ("yes", "y", "1", "true", "x", "是")
_NO = ("no", "n", "0", "false", "否")


@dataclass(frozen=True, kw_only=True)
class ItemColumns:
    """Which columns of a file of items mean what.

    Attributes:
        id: The item's id.
        category: Its category.
        texts: Title, description, what else is read.
        attributes: Columns of values; none takes all others.
    """

    id: str = "id"
    category: str = "category"
    texts: tuple[str, ...] = ("title",)
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ItemTable:
    """A file of items.

    Attributes:
        path: The file.
        heads: Its columns.
        rows: Its cells as texts, a row an item.
    """

    path: Path
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def index(self, column: str) -> int:
        """Where a column is.

        Raises:
            InputError: There is none of that name.
        """
        if column not in self.heads:
            raise InputError(
                f"there is no column {column!r}", where=self.path, todo=did_you_mean(column, self.heads)
            )
        return self.heads.index(column)


@dataclass(frozen=True)
class Decision:
    """What a person said of a proposal."""

    item: str
    attribute: str
    value: str
    accepted: bool


def read_items(path: Path) -> ItemTable:
    """The rows of a CSV file or workbook.

    Raises:
        InputError: The file cannot be read, or has no rows.
    """
    grid = [[cell_text(cell) for cell in row] for row in read_sheet(path)]
    if len(grid) < 2:
        raise InputError("no rows", where=path, expected="a line of column names, and a row an item")
    width = len(grid[0])
    rows = tuple(tuple((row + [""] * width)[:width]) for row in grid[1:])
    return ItemTable(path, tuple(grid[0]), rows)


def decisions_file(items: Path) -> Path:
    """Where the decisions about a file of items are kept: beside it."""
    return items.with_name(f"{items.stem}.decisions.csv")


def read_decisions(path: Path) -> list[Decision]:
    """What was decided before; nothing where there is no such file."""
    if not path.exists():
        return []
    table = read_items(path)
    at = [table.index(head) for head in DECIDED]
    item, attribute, value, said = at
    return [
        Decision(row[item], row[attribute], row[value], accepted=row[said] == "yes") for row in table.rows
    ]


def propose_values(
    table: ItemTable, columns: ItemColumns, decisions: Sequence[Decision], least: float = 0.0
) -> list[tuple[str, Proposal]]:
    """Proposals for the empty cells of attributes, the surest first; one refused before is not made again.

    An attribute is proposed where an item of the category has a value of it. A refused proposal counts as a text
    that does not state the attribute, an accepted one as a value.

    Raises:
        InputError: A column is missing, or too little is known to learn from.
    """
    reserved = {columns.id, columns.category, *columns.texts}
    names = columns.attributes or tuple(h for h in table.heads if h not in reserved and h)
    id_at, category_at = table.index(columns.id), table.index(columns.category)
    texts_at, at = [table.index(t) for t in columns.texts], {a: table.index(a) for a in names}
    said = {(d.item, d.attribute): d for d in decisions}
    examples: list[tuple[str, Example]] = []
    for row in table.rows:
        item = row[id_at]
        values: dict[str, tuple[str, ...]] = {a: (row[i],) for a, i in at.items() if row[i].strip()}
        for a in names:
            decision = said.get((item, a))
            if decision is not None and a not in values:
                values[a] = (decision.value,) if decision.accepted else ()
        text = " | ".join(row[i] for i in texts_at if row[i].strip())
        examples.append((item, Example(text, row[category_at], values)))
    model = ValueModel([example for _, example in examples])
    used: dict[str, set[str]] = {}
    for _, example in examples:
        used.setdefault(example.category, set()).update(a for a, v in example.values.items() if v)
    refused = {(d.item, d.attribute, plain(d.value)) for d in decisions if not d.accepted}
    found = []
    for item, example in examples:
        missing = sorted(a for a in used[example.category] if not example.values.get(a))
        for proposal in model.propose(example, missing):
            known = (item, proposal.attribute, plain(proposal.value)) in refused
            if proposal.confidence >= least and not known:
                found.append((item, proposal))
    return sorted(found, key=lambda pair: (-pair[1].confidence, pair[0], pair[1].attribute))


def write_proposals(path: Path, proposals: Sequence[tuple[str, Proposal]]) -> None:
    """Writes the sheet in which a person says yes or no to each.

    Raises:
        InputError: The file cannot be written.
    """
    rows: list[list[str | float | None]] = [list(HEADS)]
    rows += [[item, p.attribute, p.value, round(p.confidence, 3), p.words, None] for item, p in proposals]
    write_sheet(path, rows)


def read_answers(path: Path) -> list[Decision]:
    """The rows of a sheet of proposals to which somebody said yes or no.

    Raises:
        InputError: The file cannot be read, lacks a column, or an answer is neither.
    """
    table = read_items(path)
    at = {head: table.index(head) for head in ("item", "attribute", "value", "accept")}
    answers = []
    for number, row in enumerate(table.rows, 2):
        answer = row[at["accept"]].strip().casefold()
        if answer and answer not in (*_YES, *_NO):
            raise InputError(
                f"{answer[:50]!r} is no answer", where=f"{path}:{number}", expected="yes, no or nothing"
            )
        if answer:
            values = (row[at["item"]], row[at["attribute"]], row[at["value"]])
            answers.append(Decision(*values, accepted=answer in _YES))
    return answers


def accept(table: ItemTable, id_column: str, answers: Sequence[Decision], out: Path) -> int:
    """Writes the items with the accepted values in their empty cells, and keeps all answers beside the items.

    Args:
        table: The items.
        id_column: The column of their ids.
        answers: What a person said.
        out: The file to write; that of the items is written in place.

    Returns:
        How many cells were filled.

    Raises:
        InputError: An item or column is not there, a cell has another value by now, or a file cannot be written.
    """
    id_at = table.index(id_column)
    rows = {row[id_at]: list(row) for row in table.rows}
    if len(rows) != len(table.rows):
        raise InputError("an item has two rows", where=table.path, expected="one row an item")
    filled = 0
    for answer in answers:
        if not answer.accepted:
            continue
        column = table.index(answer.attribute)
        if answer.item not in rows:
            raise InputError(f"there is no item {answer.item!r}", where=table.path, todo="Propose again.")
        present = rows[answer.item][column]
        if present.strip() and present != answer.value:
            raise InputError(
                f"{answer.attribute} of {answer.item!r} is {present!r} by now",
                where=table.path,
                expected="an empty cell",
                todo=f"Answer no to {answer.value!r}, or empty the cell.",
            )
        filled += not present.strip()
        rows[answer.item][column] = answer.value
    write_sheet(out, [list(table.heads), *rows.values()])
    keep_decisions(decisions_file(table.path), answers)
    return filled


def keep_decisions(path: Path, answers: Sequence[Decision]) -> None:
    """Adds answers to those of before; the last one on a value counts.

    Raises:
        InputError: The file cannot be read or written.
    """
    kept = {(d.item, d.attribute, d.value): d for d in [*read_decisions(path), *answers]}
    rows = [[d.item, d.attribute, d.value, "yes" if d.accepted else "no"] for d in kept.values()]
    write_sheet(path, [list(DECIDED), *rows])
