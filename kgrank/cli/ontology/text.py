"""``kgrank ontology fmt``, ``lint``, ``merge`` and ``diff``: the files as texts, and their versions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.text import Text

from kgrank.cli.common import out, print_json, waiting
from kgrank.cli.ontology.check import Source, print_messages
from kgrank.errors import InputError
from kgrank.files import write_text
from kgrank.graph.connect import open_store
from kgrank.graph.touched import item_counts
from kgrank.ontology.check import examine
from kgrank.ontology.check.advice import advise
from kgrank.ontology.diff import as_json, difference, weight_lines
from kgrank.ontology.layout import format_folder
from kgrank.ontology.merge import merge_texts
from kgrank.ontology.read import refuse_errors
from kgrank.ontology.versions import read_versions
from kgrank.ontology.vocabulary import plural
from kgrank.resources import ontology_folder

_VERSION = "A folder, a shipped ontology, or REVISION:FOLDER from git."
_Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder with the Turtle files.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("fmt")(fmt)
    app.command("lint")(lint)
    app.command("merge")(merge)
    app.command("diff")(diff)


def fmt(
    folder: _Folder,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a file differs.")] = False,
    sort: Annotated[
        bool, typer.Option("--sort", help="Sort things by notation, below each heading comment.")
    ] = False,
) -> None:
    """Lay out all files in one way; what they say and their comments stay.

    Example: kgrank ontology fmt my-shop --check
    """
    changed = format_folder(folder, sort=sort)
    for path, (_, tidy) in changed.items():
        if not check:
            write_text(path, tidy)
        out.print(Text(f"{'would change' if check else 'changed'} {path}"))
    if not changed:
        out.print("nothing to change")
    if check and changed:
        raise typer.Exit(1)


def lint(
    source: Source,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 where there is advice.")] = False,
) -> None:
    """Give advice on an ontology without errors: shared synonyms, attributes to move up, values alike.

    Example: kgrank ontology lint fashion
    """
    folder = ontology_folder(source)
    with waiting(f"checking {escape(str(folder))}"):
        examination = examine(folder)
    refuse_errors(folder, examination)
    with waiting("comparing names and values"):
        advice = advise(folder, examination)
    if json:
        print_json({"folder": str(folder), "advice": [asdict(m) for m in advice]})
    else:
        print_messages(folder, advice)
        out.print(plural(len(advice), "piece") + " of advice")
    if strict and advice:
        raise typer.Exit(1)


def merge(
    base: Annotated[Path, typer.Argument(metavar="BASE", help="The file that both sides began with.")],
    ours: Annotated[Path, typer.Argument(metavar="OURS", help="Our version; the result is written here.")],
    theirs: Annotated[Path, typer.Argument(metavar="THEIRS", help="Their version.")],
) -> None:
    """Merge two versions of a Turtle file thing by thing; git can use it as a merge driver.

    Exit code 1 where both sides changed the same; these blocks are marked in the file.

    Example: kgrank ontology merge base.ttl ours.ttl theirs.ttl
    """
    merged = merge_texts(*(_text(path) for path in (base, ours, theirs)))
    write_text(ours, merged.text)
    for conflict in merged.conflicts:
        out.print(Text(f"conflict in {conflict}"))
    if merged.conflicts:
        raise typer.Exit(1)


def diff(
    old: Annotated[str, typer.Argument(metavar="A", help=_VERSION)],
    new: Annotated[str, typer.Argument(metavar="B", help=_VERSION)],
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 where a thing was taken out without a replacement.")
    ] = False,
    store: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Count the items of this store that a change touches."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say what changed from A to B, and what that does to learned weights.

    Example: kgrank ontology diff HEAD~1:my-shop my-shop --store demo-shop/graph.lb
    """
    with waiting("reading both versions"):
        before, after = read_versions(old, new)
    changes = difference(before, after)
    items: list[int | None] = [None] * len(changes.changes)
    if store is not None:
        with open_store(store) as opened:
            held = item_counts(opened)
        items = [held.touched(change, before, after) for change in changes.changes]
    if json:
        document = as_json(changes)
        counted = zip(document["changes"], items, strict=True)  # type: ignore[call-overload]
        print_json({**document, "changes": [change | {"items": count} for change, count in counted]})
    else:
        for change, count in zip(changes.changes, items, strict=True):
            touched = "" if count is None else f" ({count:,} item{'' if count == 1 else 's'})"
            out.print(Text(change.line() + touched))
        if not changes.changes:
            out.print("nothing changed")
        out.print("weights:")
        for line in weight_lines(changes.weights):
            out.print(Text(line))
    if strict and changes.removals:
        raise typer.Exit(1)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error})", where=path) from None
