"""``kgrank forget``: a person out of the store, and what still holds something of them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kgrank.cli.common import out, print_json, waiting
from kgrank.cli.options import Json, Store, default_store
from kgrank.errors import InputError
from kgrank.graph.connect import file_of, open_store
from kgrank.people.forget import ForgetReport, forget, readmit
from kgrank.people.near_files import NearFiles, near_files

HASHES = (
    "A salted hash of each id stays in the store, so that no later load brings them back; "
    "kgrank forget --readmit USER takes it off."
)


def forget_command(
    users: Annotated[list[str] | None, typer.Argument(metavar="USER...", help="Ids of the people.")] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A text file with an id on each line, beside USER.")
    ] = None,
    store: Store = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed, and what would remain.")
    ] = False,
    readmitted: Annotated[
        bool,
        typer.Option(
            "--readmit", help="Take them off the list of the forgotten: a load may bring them back."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Remove people from the store and from the counts of the served weights, for good.

    Example: kgrank forget u000123 --store demo-shop/graph.lb --dry-run
    """
    ids = [*(users or ()), *(_ids(file) if file is not None else ())]
    if not ids:
        raise InputError("nobody is named", expected="USER, or --file FILE with an id on each line")
    if readmitted and dry_run:
        raise InputError("--readmit has no --dry-run", todo="Leave one of them out.")
    address = store or default_store()
    with open_store(address) as opened, waiting("forgetting"):
        if readmitted:
            count = readmit(opened, ids)
        else:
            report = forget(opened, ids, dry_run=dry_run)
    if readmitted:
        if json:
            print_json({"store": address, "readmitted": count})
        else:
            out.print(f"Off the list: {_users(count)}. The next load may bring them back.")
        return
    path = file_of(address)
    near = NearFiles() if path is None else near_files(path, ids)
    if json:
        files = {name: [str(path) for path in paths] for name, paths in asdict(near).items()}
        print_json({"store": address, "dry_run": dry_run, **asdict(report), "files": files})
    else:
        _print(report, near, dry_run=dry_run)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("forget")(forget_command)


def _ids(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot be read ({error})", where=file, expected="a text file with an id on each line"
        ) from None
    return [line.strip() for line in lines if line.strip()]


def _print(report: ForgetReport, near: NearFiles, *, dry_run: bool) -> None:
    verb = "Would be forgotten" if dry_run else "Forgotten"
    events = f"{report.events:,} event{'' if report.events == 1 else 's'}"
    out.print(f"{verb}: {_users(report.forgotten)}, with {events}.")
    if report.already:
        out.print(f"Forgotten before: {_users(report.already)}.")
    if report.counted:
        out.print("The behaviour terms of the served weights no longer count them.")
    if report.rewritten:
        out.print("The store's file was written anew: nothing of what was deleted is left in it.")
    if not dry_run:
        out.print(HASHES)
    lines = [*report.remains, *_files(near)]
    if lines:
        out.print("What still holds something of them:")
    for line in lines:
        out.print(f"- {line}", markup=False)


def _files(near: NearFiles) -> list[str]:
    lines = [f"{path} names them; it is yours to edit." for path in near.naming]
    lines += [
        f"{path} holds counts of them: train again into its folder, or delete it." for path in near.weights
    ]
    lines += [f"{path} is packed and was not searched." for path in near.packed]
    return lines


def _users(count: int) -> str:
    return f"{count:,} user{'' if count == 1 else 's'}"
