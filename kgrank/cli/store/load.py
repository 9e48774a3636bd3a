"""``kgrank load``: a folder of catalogue and behaviour files into a store."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NamedTuple, NoReturn

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from kgrank.cli.common import err, note, out, print_json, progress_bar, waiting
from kgrank.errors import InputError
from kgrank.graph.build import build_graph
from kgrank.graph.connect import open_store
from kgrank.graph.offline import write_import
from kgrank.graph.sync import Changes, load
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import Mapping, default_mapping, read_mapping
from kgrank.ingest.report import REASONS
from kgrank.ingest.run_files import run_files
from kgrank.ingest.words import UnknownWordsError, mapping_block, with_words, write_words
from kgrank.ontology.check.parse import unread_files
from kgrank.ontology.model import Ontology
from kgrank.ontology.read import read_ontology
from kgrank.ontology.vocabulary import plural
from kgrank.resources import ontology_folder

_SHOWN = 30
"""Unknown words that are shown; a file has all of them."""

_NOUNS = {"AttributeValue": "value"}
"""What a node's label is called where that is not the label itself."""


def load_command(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER]", help="The folder of the files; with --config, that of the run."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A run's configuration, such as kgrank init writes: what it says of the data counts where no "
            "option says otherwise.",
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", envvar="KGRANK_STORE", help="A file (shop.lb), or bolt://host:7687."),
    ] = None,
    ontology: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A folder of Turtle files, or a shipped one: fashion. Without it one is inferred from the data.",
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Says which columns mean what: kgrank help file-schemas."),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Writes the rows that were dropped (.csv, .xlsx).")
    ] = None,
    unknown: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Writes words that the ontology lacks: a block of the mapping (.yaml), or a sheet (.csv, .xlsx).",
        ),
    ] = None,
    words: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What such words mean: the file of --unknown, filled in."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Any dropped row is an error, and nothing is written.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune", help="Items and people that are not in the files have left, and go with their events."
        ),
    ] = False,
    anew: Annotated[
        bool,
        typer.Option(
            "--anew",
            help="Compare with all of the store, not with the record of the last load: after other writes.",
        ),
    ] = False,
    offline: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Writes files for Neo4j's offline import instead, for a first load of much."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """Load items and events, or choice tasks, into a store; a later load writes what changed since.

    Example: kgrank load demo-shop --ontology fashion --store demo-shop/graph.lb --prune

    Example: kgrank load --config my-shop/run.yaml

    Example: kgrank load shop --ontology my-shop --mapping map.yaml --store shop.lb --unknown words.xlsx

    Example: kgrank load shop --ontology my-shop --mapping map.yaml --store shop.lb --words words.xlsx
    """
    files = _files(config, folder, ontology, mapping, store, offline)
    clean = _read(files, words, rejects, strict, unknown)
    with waiting("building the graph"):
        graph = build_graph(clean)
    if offline is not None:
        _print_import(write_import(graph, offline), json)
        return
    assert files.store is not None
    changes, counted = _write(graph, files.store, prune, anew)
    if json:
        print_json(_document(clean, graph, files.store) | {"changes": asdict(changes), "counted": counted})
    else:
        _print(clean, graph, files.store, rejects)
        _print_changes(changes)
        if counted:
            out.print("The behaviour terms of the served weights count the new events.")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("load")(load_command)


class _Files(NamedTuple):
    """What is loaded; a store, or None for an offline import."""

    folder: Path
    ontology: Path | None
    mapping: Path | None
    store: str | None


def _files(
    config: Path | None,
    folder: Path | None,
    ontology: Path | None,
    mapping: Path | None,
    store: str | None,
    offline: Path | None,
) -> _Files:
    """What the options name, and a run's configuration where they do not.

    Raises:
        InputError: No folder is named, or not one of a store and an offline import.
    """
    if config is not None:
        named = run_files(config)
        folder, ontology = folder or named.folder, ontology or named.ontology
        mapping = mapping or named.mapping
        store = store if offline is not None else store or named.store
    if folder is None:
        raise InputError(
            "no folder of files is named",
            where=config,
            expected="kgrank load FOLDER, or --config with data.folder in it",
        )
    if (store is None) == (offline is None):
        raise InputError(
            "no store" if store is None else "a store and a folder for an offline import",
            expected="--store ADDRESS or --offline DIR",
        )
    return _Files(folder, ontology, mapping, store)


def _write(graph: KnowledgeGraph, store: str, prune: bool, anew: bool) -> tuple[Changes, bool]:
    """What was written to the store, and whether the behaviour terms were counted again."""
    from kgrank.ranking.stored.recount import recount

    with open_store(store) as opened, progress_bar() as progress:
        changes = load(opened, graph, progress, prune=prune, anew=anew)
        fewer_events = "User" in changes.deleted
        counted = recount(opened) if changes.compared.get("INTERACTED") or fewer_events else False
    return changes, counted


def _mapping(folder: Path, mapping: Path | None, words: Path | None) -> Mapping:
    """The mapping, with the meanings of words that were filled in."""
    columns = read_mapping(mapping) if mapping is not None else default_mapping(folder)
    return with_words(columns, words) if words is not None else columns


def _name_unknown(error: UnknownWordsError, mapping: Mapping, unknown: Path | None) -> NoReturn:
    """Names all unknown words by their rows, and the block of the mapping that would rename them.

    Raises:
        InputError: How many words are unknown; the message of the only one, where nothing is written of it.
    """
    if len(error.words) + len(error.columns) < 2 and unknown is None:
        raise error
    for column in error.columns:
        err.print(f"[bold red]error[/]: {escape(column.sentence())}")
    if not error.words:
        raise InputError(f"{len(error.columns)} columns are unknown", todo="Nothing is written.")
    table = Table("rows", "word", "in", "nearest", box=box.SIMPLE)
    table.columns[0].justify = "right"
    for word in error.words[:_SHOWN]:
        place = f"{word.field} ({word.file}:{word.line})"
        table.add_row(f"{word.rows:,}", escape(word.word), escape(place), escape(word.means))
    err.print(table)
    if len(error.words) > _SHOWN:
        err.print(f"and {len(error.words) - _SHOWN:,} more")
    if unknown is None:
        err.print("For the mapping, where the proposals are right (--unknown FILE writes it to a file):")
        err.print(mapping_block(error.words[:_SHOWN], mapping), markup=False)
    else:
        write_words(unknown, error.words, mapping)
        err.print(
            f"Look through {unknown}, fill in what is missing, and give it back: --words {unknown}",
            markup=False,
        )
    kinds = any(w.field == "kind" and not w.means for w in error.words)
    leave_out = [e.todo for e in error.errors if kinds and e.problem.startswith("unknown kind") and e.todo]
    rows = sum(w.rows for w in error.words)
    raise InputError(
        f"{len(error.words):,} words mean nothing in the ontology ({rows:,} rows)",
        expected="categories, values, units and kinds of events that it has; nothing is written",
        todo=" ".join(leave_out) or None,
    )


def _read(
    files: _Files,
    words: Path | None,
    rejects: Path | None,
    strict: bool,
    unknown: Path | None,
) -> Clean:
    """The clean tables; the rows that were dropped are written, or refused, as the options say."""
    with waiting("reading the ontology") as report:
        known = _ontology(files.ontology) if files.ontology is not None else None
        report(f"reading and cleaning {escape(str(files.folder))}")
        columns = _mapping(files.folder, files.mapping, words)
        try:
            clean = ingest(files.folder, ontology=known, mapping=columns)
        except UnknownWordsError as error:
            _name_unknown(error, columns, unknown)
    if rejects is not None:
        clean.report.write(rejects)
    if strict:
        clean.report.refuse()
    return clean


def _ontology(source: Path) -> Ontology:
    """The ontology of a folder; files beside it that are not read are named."""
    for message in unread_files(ontology_folder(source)):
        note(f"note: {message.file}: {message.text}. {message.advice}.")
    return read_ontology(source)


def _document(clean: Clean, graph: KnowledgeGraph, store: str) -> dict[str, object]:
    tables = {**graph.nodes, **graph.edges}
    return {
        "store": store,
        "rows": dict(clean.report.read),
        "rejects": dict(clean.report.counts),
        "graph": {name: len(table) for name, table in tables.items() if len(table)},
        "log": {
            "clock": clean.log.clock,
            "outside": clean.log.outside,
            "impressions": clean.log.impressions,
        },
        "ontology": clean.ontology.fingerprint,
        "notes": list(clean.notes),
    }


def _print(clean: Clean, graph: KnowledgeGraph, store: str, rejects: Path | None) -> None:
    for text in clean.notes:
        note(f"note: {text}")
    read = ", ".join(f"{rows:,} rows of {file}" for file, rows in clean.report.read.items())
    out.print(f"Read {read}.", markup=False)
    if clean.report.counts:
        table = Table("rows", "reason", "what became of them", box=box.SIMPLE)
        table.columns[0].justify = "right"
        for reason, count in clean.report.counts.items():
            table.add_row(f"{count:,}", reason, REASONS[reason])
        out.print(table)
        if rejects is None:
            out.print("The rows, with file and line: add --rejects FILE.")
        else:
            out.print(f"The rows, with file and line: {rejects}", markup=False)
    else:
        out.print("No row was dropped.")
    shown = ["Category", "Attribute", "Item", "User", "Rule"]
    shown += ["Segment"] * (len(graph.edge("IN_SEGMENT")) > 0)
    counts = [_counted(len(graph.node(label)), label) for label in shown]
    counts.append(plural(len(graph.edge("INTERACTED")) + len(graph.edge("SEARCHED")), "event"))
    out.print(f"In {store}: {', '.join(counts)}.", markup=False)


def _print_import(arguments: str, json: bool) -> None:
    if json:
        print_json({"import": arguments})
    else:
        out.print("Stop the server, and run on its machine (the database is overwritten):")
        out.print(f"  neo4j-admin {arguments}", markup=False)
        out.print("Start it again, and make the indexes: kgrank doctor --repair.")


def _print_changes(changes: Changes) -> None:
    if not changes.compared and not changes.deleted:
        out.print("Nothing changed since the last load.")
    if changes.forgotten:
        people = plural(changes.forgotten, "forgotten user")
        out.print(
            f"Of these, left out with their events: {people} (kgrank forget --readmit takes them back)."
        )
    for label, count in changes.deleted.items():
        out.print(f"Taken away: {_counted(count, label)}.", markup=False)


def _counted(count: int, label: str) -> str:
    """A count of nodes with a label: "2 categories"."""
    return plural(count, _NOUNS.get(label, label.lower()))
