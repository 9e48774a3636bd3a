"""``kgrank propose values`` and ``kgrank propose accept``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kgrank.cli.common import out, print_json, require_extra, waiting
from kgrank.ontology.vocabulary import plural

Items = Annotated[Path, typer.Argument(metavar="ITEMS", help="The file of items (.csv, .tsv, .xlsx).")]
Id = Annotated[str, typer.Option("--id", metavar="COLUMN", help="The column of the items' ids.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


def values_command(
    items: Items,
    sheet: Annotated[Path, typer.Option("--out", metavar="FILE", help="The sheet to write (.csv, .xlsx).")],
    id: Id = "id",
    category: Annotated[
        str, typer.Option(metavar="COLUMN", help="The column of their categories.")
    ] = "category",
    text: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="A column that is read: title, description; give it for each."),
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="A column of values to fill; without it, all other columns."),
    ] = None,
    least: Annotated[
        float, typer.Option(min=0, max=1, help="Proposals of less confidence are left out.")
    ] = 0.5,
    json: Json = False,
) -> None:
    """Propose values for empty cells, from what the items' texts say; nothing is changed.

    Example: kgrank propose values items.csv --text title --text description --out proposals.csv
    """
    require_extra("language")
    from kgrank.language.values.sheet import (
        ItemColumns,
        decisions_file,
        propose_values,
        read_decisions,
        read_items,
        write_proposals,
    )

    columns = ItemColumns(
        id=id, category=category, texts=tuple(text or ("title",)), attributes=tuple(attribute or ())
    )
    table = read_items(items)
    with waiting("learning from the values that are there"):
        proposals = propose_values(table, columns, read_decisions(decisions_file(items)), least)
    write_proposals(sheet, proposals)
    if json:
        print_json({"proposals": len(proposals), "sheet": str(sheet)})
        return
    out.print(f"{plural(len(proposals), 'proposal')} in {sheet}.", markup=False)
    out.print(f"Write yes or no into its last column: kgrank propose accept {items} {sheet}", markup=False)


def accept_command(
    items: Items,
    sheet: Annotated[Path, typer.Argument(metavar="SHEET", help="The sheet of proposals with its answers.")],
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Writes the items here; else in place.")
    ] = None,
    id: Id = "id",
    json: Json = False,
) -> None:
    """Fill the accepted values into empty cells of the items, and remember what was accepted and refused.

    Example: kgrank propose accept items.csv proposals.csv
    """
    from kgrank.language.values.sheet import accept, read_answers, read_items

    answers = read_answers(sheet)
    filled = accept(read_items(items), id, answers, to or items)
    if json:
        print_json({"answers": len(answers), "filled": filled, "items": str(to or items)})
        return
    out.print(
        f"{plural(len(answers), 'answer')}, {plural(filled, 'cell')} filled in {to or items}.", markup=False
    )


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("values")(values_command)
    app.command("accept")(accept_command)
