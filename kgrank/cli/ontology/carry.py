"""``kgrank ontology carry``: learned weights under a new version of the ontology."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from kgrank.cli.common import out, print_json
from kgrank.errors import InputError
from kgrank.graph.connect import open_store
from kgrank.ontology.versions import read_versions
from kgrank.ranking.catalogue.shop import stored_ontology
from kgrank.weights.artefact import read_transitions, read_weights, write_transitions, write_weights
from kgrank.weights.carry import Carried, carry
from kgrank.weights.tables import check_fits, served_transitions, served_weights, weights_to_tables

_SHOWN = 5


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("carry")(carry_command)


def carry_command(
    old: Annotated[str, typer.Option("--from", metavar="A", help="The version they were learned with.")],
    new: Annotated[str, typer.Option("--to", metavar="B", help="What it has become.")],
    weights: Annotated[
        Path | None, typer.Argument(metavar="WEIGHTS", help="A weights file; or say --store.")
    ] = None,
    to_file: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to write the new weights file.")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Take the weights that a store serves, and serve the new ones."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Carry learned weights over to a new version of the ontology, where they still mean the same.

    A and B are folders, or REVISION:FOLDER from git. Weights that mean something else now are left out, each
    named with its reason; exit code 1 where there are any. Train again to learn them.

    Example: kgrank ontology carry --store shop.lb --from HEAD~1:my-shop --to my-shop

    Example: kgrank ontology carry weights.json --from HEAD~1:my-shop --to my-shop -o carried.json
    """
    if (weights is None) == (store is None) or (weights is None) != (to_file is None):
        raise InputError("say which weights", expected="WEIGHTS with --out FILE, or --store ADDRESS")
    before, after = read_versions(old, new)
    if weights is not None and to_file is not None:
        found = carry(read_weights(weights), before, after)
        transitions = read_transitions(weights)
        write_weights(to_file, found.weights)
        if len(transitions):
            write_transitions(to_file, transitions)
    else:
        assert store is not None
        with open_store(store) as opened:
            served = served_weights(opened)
            found = carry(served, before, after)
            check_fits(found.weights, stored_ontology(opened))
            tables = weights_to_tables(found.weights, served_transitions(opened, served.version))
            opened.replace_version(found.weights.version, *tables)
    if json:
        print_json(_document(found))
    else:
        _print(found, f"written to {to_file}" if to_file else f"served from {store}")
    if found.left_out:
        raise typer.Exit(1)


def _document(found: Carried) -> dict[str, object]:
    return {
        "version": found.weights.version,
        "ontology": found.weights.ontology,
        "kept": len(found.kept),
        "renamed": [[list(a), list(b)] for a, b in found.renamed.items()],
        "rescaled": [list(c) for c in found.rescaled],
        "left": [[*cell, why] for cell, why in found.left_out.items()],
        "values": list(found.values),
        "findings": list(found.findings),
    }


def _print(found: Carried, where: str) -> None:
    out.print(Text(f"weights {found.weights.version}, {where}:"))
    _line(len(found.kept), "carried over unchanged")
    _line(len(found.renamed), "under a new name", ["/".join(c) for c in found.renamed.values()])
    _line(len(found.rescaled), "in another unit", ["/".join(c) for c in found.rescaled])
    _line(len(found.left_out), "left out")
    for (category, attribute), why in found.left_out.items():
        out.print(Text(f"           {category}/{attribute}: {why}"))
    if found.values:
        _line(len(found.values), "values left out, which are gone", found.values)
    if found.findings:
        _line(len(found.findings), "findings left out, of rules that changed", found.findings)
    if found.left_out or found.findings:
        out.print("Learn the rest anew: kgrank train --config CONFIG")


def _line(count: int, what: str, names: Iterable[str] = ()) -> None:
    names = list(names)
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    out.print(Text(f"{count:>8} {what}{': ' + shown if shown else ''}"))
