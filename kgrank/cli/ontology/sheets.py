"""``kgrank ontology export`` and ``import``: the ontology as sheets, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.text import Text

from kgrank.cli.common import err, note, out, waiting
from kgrank.cli.ontology.check import Source
from kgrank.errors import InputError, did_you_mean
from kgrank.files import write_text
from kgrank.ontology.check import examine
from kgrank.ontology.imports import SYSTEMS
from kgrank.ontology.imports.write import BASE
from kgrank.ontology.tables import trip
from kgrank.ontology.vocabulary import plural
from kgrank.resources import ontology_folder

_Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder with the Turtle files.")]
_Workbook = Annotated[Path | None, typer.Option("--xlsx", metavar="FILE", help="An Excel workbook.")]
_Csv = Annotated[Path | None, typer.Option("--csv", metavar="FOLDER", help="A folder of CSV files.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("export")(export)
    app.command("import")(import_)


def export(
    source: Source,
    xlsx: _Workbook = None,
    csv: _Csv = None,
    rdf: Annotated[
        Path | None,
        typer.Option("--rdf", metavar="FILE", help="One RDF file instead: .jsonld, .rdf (XML), .nt or .ttl."),
    ] = None,
) -> None:
    """Write seven sheets: rules, categories, what applies where, attributes, values, others, the header.

    Example: kgrank ontology export fashion --xlsx fashion.xlsx

    Example: kgrank ontology export fashion --rdf fashion.jsonld
    """
    if sum(target is not None for target in (xlsx, csv, rdf)) != 1:
        raise InputError("say where to write", expected="--xlsx FILE, --csv FOLDER or --rdf FILE")
    if rdf is not None:
        from kgrank.ontology.rdf import write_rdf

        out.print(Text(f"{rdf}: {write_rdf(ontology_folder(source), rdf):,} statements"))
        return
    counts = trip.export(ontology_folder(source), workbook=xlsx, csv_folder=csv)
    listed = ", ".join(f"{name} {count}" for name, count in counts.items())
    out.print(Text(f"{xlsx or csv}: {listed} rows"))


def import_(
    folder: _Folder,
    source: Annotated[
        Path | None, typer.Argument(metavar="SOURCE", help="With --from: the file or folder to read.")
    ] = None,
    xlsx: _Workbook = None,
    csv: _Csv = None,
    system: Annotated[
        str | None, typer.Option("--from", metavar="SYSTEM", help=f"Another system: {', '.join(SYSTEMS)}.")
    ] = None,
    base: Annotated[str, typer.Option(help="With --from: how the IRIs of the new ontology begin.")] = BASE,
    rules: Annotated[
        Path | None,
        typer.Option(
            "--rules", metavar="FILE", help="Rules as sentences (a text), or a sheet (.csv, .xlsx)."
        ),
    ] = None,
    author: Annotated[
        str | None,
        typer.Option(
            metavar="PERSON", help="With --rules: who wrote them, by id or name; a new name is added."
        ),
    ] = None,
    take: Annotated[
        str | None,
        typer.Option(metavar="sheet|folder", help="Which side wins where both were edited since the export."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, write nothing.")] = False,
) -> None:
    """Bring edited sheets back, add rules as a person says them, or begin with the taxonomy of another system.

    What a sheet leaves out stays as it is. Exit code 1, and nothing written, where a cell was edited on both
    sides or an edit brings in an error. A sentence of --rules names things by label or id: "In Shoes, price
    matters more than color. I am 80% sure, because …"; all that cannot be read is named, and nothing written.

    Example: kgrank ontology import my-shop --xlsx my-shop.xlsx

    Example: kgrank ontology import my-shop --rules rules.txt --author "Mei Chen"

    Example: kgrank ontology import my-shop taxonomy.txt --from google
    """
    if rules is not None:
        if (xlsx, csv, system, source, take) != (None,) * 5:
            raise InputError(
                "--rules goes with --author and --dry-run only", todo="Import the rest separately."
            )
        _add_rules(folder, rules, author, dry_run)
        return
    if author is not None:
        raise InputError("--author goes with --rules FILE")
    if system is not None:
        _begin(system, source, folder, base)
        return
    if (xlsx is None) == (csv is None):
        raise InputError(
            "say what to read", expected="--xlsx FILE, --csv FOLDER, --rules FILE or --from SYSTEM"
        )
    if take not in (None, "sheet", "folder"):
        raise InputError(f"--take {take} is no side", expected="sheet or folder")
    incoming = trip.read_sheets(workbook=xlsx, csv_folder=csv)
    with waiting("comparing the sheets with the folder"):
        outcome = trip.plan_import(incoming, folder, take)  # type: ignore[arg-type]
    _refuse(outcome)
    if not dry_run:
        trip.write_outcome(outcome, folder)
    for word, ids in (("changed", outcome.changed), ("added", outcome.added)):
        if ids:
            shown = ", ".join(ids[:10]) + (f" and {len(ids) - 10} more" if len(ids) > 10 else "")
            out.print(Text(f"{word}: {shown}"))
    count = plural(len(outcome.changed) + len(outcome.added), "thing")
    out.print(f"{count} in {plural(len(outcome.texts), 'file')}{' (dry run)' if dry_run else ''}")


def _add_rules(folder: Path, file: Path, author: str | None, dry_run: bool) -> None:
    """Rules of a text or a sheet, into the files of the folder; all mistakes in one answer."""
    from kgrank.ontology.parsing.plan import plan_rules

    with waiting(f"reading {escape(str(file))}"):
        plan = plan_rules(folder, file, author)
    for line in plan.notes:
        note(f"note: {line}")
    if plan.mistakes:
        for mistake in plan.mistakes:
            err.print(Text(mistake.sentence()))
        err.print(f"{plural(len(plan.mistakes), 'error')}; nothing is written.")
        raise typer.Exit(2)
    if not dry_run:
        for name, text in plan.texts.items():
            write_text(folder / name, text)
    for id_, text in plan.sentences.items():
        out.print(Text(id_, style="bold"), end="  ")
        out.print(Text(text))
    done = (
        f"in {folder / next(iter(plan.texts))}"
        if len(plan.texts) == 1
        else f"in {', '.join(plan.texts) or folder}"
    )
    out.print(Text(f"{plural(len(plan.sentences), 'new rule')} {done}{' (dry run)' if dry_run else ''}"))


def _refuse(outcome: trip.Outcome) -> None:
    """Names conflicts and mistakes with their cells; ends the command where there are any."""
    for line in (*(c.sentence() for c in outcome.conflicts), *outcome.refused):
        err.print(Text(line))
    if outcome.conflicts:
        conflicts = plural(len(outcome.conflicts), "conflict")
        err.print(f"{conflicts}; nothing is written. Say --take sheet or --take folder.")
    if outcome.refused:
        err.print(f"{plural(len(outcome.refused), 'error')} would come in; nothing is written.")
    if outcome.conflicts or outcome.refused:
        raise typer.Exit(1)


def _begin(system: str, source: Path | None, folder: Path, base: str) -> None:
    """A new ontology from another system's files, checked."""
    from kgrank.profiling.taxonomies import bring

    if system not in SYSTEMS:
        raise InputError(f"--from {system} is no known system", todo=did_you_mean(system, SYSTEMS))
    if source is None:
        raise InputError("say what to read", expected=f"kgrank ontology import FOLDER SOURCE --from {system}")
    with waiting(f"reading {escape(str(source))}") as report:
        lines = bring(system, source, folder, base)
        report(f"checking {escape(str(folder))}")
        examination = examine(folder)
    for line in lines:
        out.print(Text(line))
    errors = len(examination.errors)
    counts = f"{plural(errors, 'error')}, {plural(len(examination.messages) - errors, 'warning')}"
    out.print(Text(f"wrote {folder}: {counts} (kgrank ontology check {folder})"))
    if examination.errors:
        raise typer.Exit(1)
