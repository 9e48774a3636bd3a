"""``kgrank doctor``: what is wrong with a store, and what to do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from kgrank.cli.common import out, print_json
from kgrank.cli.options import DEMO, Json, Store, default_store
from kgrank.cli.store.bug_report import bug_report, report_lines
from kgrank.errors import InputError, StoreError
from kgrank.graph.connect import open_store
from kgrank.graph.doctor import examine, unreachable
from kgrank.graph.health import Check, State

COLOURS = {State.FINE: "green", State.WARNING: "yellow", State.WRONG: "bold red"}


def doctor_command(
    store: Store = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Bring the schema to this version, and make missing indexes.")
    ] = False,
    report: Annotated[
        bool,
        typer.Option(
            "--report",
            help="A text for a bug report instead: versions, schema and counts, no personal data.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Say what is wrong with a store: connection, schema, indexes, load, weights; exit code 1 if anything is.

    Example: kgrank doctor --store bolt://localhost:7687

    kgrank doctor --report
    """
    if report:
        _print_report(store, repair, json)
        return
    checks = _checks(store or default_store(), repair)
    if json:
        print_json([asdict(check) for check in checks])
    else:
        table = Table("", "check", "found", "what to do", box=box.SIMPLE)
        for check in checks:
            colour = COLOURS[check.state]
            mark = f"[{colour}]{check.state}[/]"
            table.add_row(mark, check.name, escape(check.found), escape(check.todo))
        out.print(table)
    if any(check.state is State.WRONG for check in checks):
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("doctor")(doctor_command)


def _print_report(address: str | None, repair: bool, json: bool) -> None:
    if repair:
        raise InputError(
            "--repair and --report together", expected="one of them", todo="Report first, then repair."
        )
    written = bug_report(address or (str(DEMO) if DEMO.exists() else None))
    if json:
        print_json(asdict(written))
    else:
        out.print("\n".join(report_lines(written)), markup=False)


def _checks(address: str, repair: bool) -> list[Check]:
    try:
        opened = open_store(address, wait=0)
    except StoreError as error:
        return [unreachable(error)]
    with opened:
        try:
            if repair:
                opened.prepare()
            return list(examine(opened))
        except StoreError as error:
            return [unreachable(error)]
