"""``kgrank ontology carry``: learned weights under a new version of the ontology."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
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
from kgrank.weights.liking import LikingWeights
from kgrank.weights.liking_file import read_liking, served_liking, write_liking
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
        before_weights = read_weights(weights)
        carried = carry(before_weights, before, after)
        transitions = read_transitions(weights)
        write_weights(to_file, carried.weights)
        if len(transitions):
            write_transitions(to_file, transitions)
        write_liking(to_file, _carried(read_liking(weights, before_weights), carried))
    else:
        assert store is not None
        with open_store(store) as opened:
            served = served_weights(opened)
            carried = carry(served, before, after)
            check_fits(carried.weights, stored_ontology(opened))
            liking = _carried(served_liking(opened, served), carried)
            tables = weights_to_tables(
                carried.weights, served_transitions(opened, served.version), liking=liking
            )
            opened.replace_version(carried.weights.version, *tables)
    if json:
        print_json(_document(carried))
    else:
        _print(carried, f"written to {to_file}" if to_file else f"served from {store}")
    if carried.left_out:
        raise typer.Exit(1)


def _carried(liking: LikingWeights | None, carried: Carried) -> LikingWeights | None:
    """The liking of items under the new version: items keep their ids, whatever the ontology says of them."""
    return None if liking is None else replace(liking, version=carried.weights.version)


def _document(carried: Carried) -> dict[str, object]:
    return {
        "version": carried.weights.version,
        "ontology": carried.weights.ontology,
        "kept": len(carried.kept),
        "renamed": [[list(a), list(b)] for a, b in carried.renamed.items()],
        "rescaled": [list(c) for c in carried.rescaled],
        "left": [[*cell, why] for cell, why in carried.left_out.items()],
        "values": list(carried.values),
        "findings": list(carried.findings),
    }


def _print(carried: Carried, where: str) -> None:
    out.print(Text(f"weights {carried.weights.version}, {where}:"))
    _line(len(carried.kept), "carried over unchanged")
    _line(len(carried.renamed), "under a new name", ["/".join(c) for c in carried.renamed.values()])
    _line(len(carried.rescaled), "in another unit", ["/".join(c) for c in carried.rescaled])
    _line(len(carried.left_out), "left out")
    for (category, attribute), why in carried.left_out.items():
        out.print(Text(f"           {category}/{attribute}: {why}"))
    if carried.values:
        _line(len(carried.values), "values left out, which are gone", carried.values)
    if carried.findings:
        _line(len(carried.findings), "findings left out, of rules that changed", carried.findings)
    if carried.left_out or carried.findings:
        out.print("Learn the rest anew: kgrank train --config CONFIG")


def _line(count: int, what: str, names: Iterable[str] = ()) -> None:
    names = list(names)
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    out.print(Text(f"{count:>8} {what}{': ' + shown if shown else ''}"))
