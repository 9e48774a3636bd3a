"""``kgrank weights``: the versions in a store, and which of them is served."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from kgrank.cli.common import err, out, print_answer
from kgrank.cli.options import Json, Store, default_store
from kgrank.graph.connect import open_store
from kgrank.ranking.answers import DeletedVersions
from kgrank.ranking.catalogue.shop import open_shop
from kgrank.ranking.stored.ranked_edges import ranked_edges
from kgrank.ranking.stored.versions import served_version, stored_versions
from kgrank.weights.tables import stored_weights

app = typer.Typer(help="Versions of the learned weights: list, serve, prune.", no_args_is_help=True)


@app.command("list")
def list_command(store: Store = None, json: Json = False) -> None:
    """List the versions, newest first.

    Example: kgrank weights list --store demo-shop/graph.lb
    """
    with open_store(store or default_store()) as opened:
        answer = stored_versions(opened)
    if json:
        print_answer(answer)
        return
    table = Table("version", "created", "", box=box.SIMPLE)
    for v in answer.versions:
        note = "served" if v.served else "" if v.fits else "of another ontology"
        table.add_row(v.version, v.created, note)
    out.print(table if answer.versions else "No weights yet: kgrank train --config FILE")


@app.command("serve")
def serve_command(
    version: Annotated[
        str | None, typer.Argument(help="Which one; without it the one that is served already.")
    ] = None,
    store: Store = None,
    ranked: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Also write the first N items of each category, in the same transaction."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Serve a version, an earlier one too: readers see the one before or this one, never parts of both.

    Example: kgrank weights serve w-20261124-101500-3fe20a --ranked 200
    """
    with open_store(store or default_store()) as opened:
        chosen = version or served_version(opened).version
        shop = open_shop(opened, stored_weights(opened, chosen))
        edges = None if ranked is None else ranked_edges(shop, ranked)
        opened.serve(chosen, edges)
        answer = served_version(opened)
    count = None if edges is None else len(edges)
    if json:
        print_answer(replace(answer, ranked_item_count=count))
    else:
        written = "" if count is None else f", with {count:,} ranked items"
        out.print(f"Served: {chosen}{written}.", markup=False)


@app.command("prune")
def prune_command(
    store: Store = None,
    keep: Annotated[int, typer.Option(min=1, help="So many of the newest stay, and the served one.")] = 5,
    json: Json = False,
) -> None:
    """Delete old versions.

    Example: kgrank weights prune --keep 3
    """
    with open_store(store or default_store()) as opened:
        stored = stored_versions(opened)
        old = tuple(v.version for v in stored.versions[keep:] if not v.served)
        for version in old:
            opened.delete_version(version)
    if json:
        print_answer(DeletedVersions(stored.version, old))
    else:
        err.print(f"Deleted: {', '.join(old)}." if old else "Nothing to delete.", markup=False)
