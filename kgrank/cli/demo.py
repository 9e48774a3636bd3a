"""``kgrank demo``: build the generated shop, and compare what was learned with its truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kgrank.cli.common import out

app = typer.Typer(
    help="A generated shop with a known truth: build it, and see what was learned of it.",
    no_args_is_help=True,
)


@app.command()
def build(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same shop.")] = 7,
) -> None:
    """Write the demo shop's files: items, events, and the truth they were generated from.

    Example: kgrank demo build demo-shop
    """
    from kgrank.demo.files import write
    from kgrank.demo.shop import generate

    shop = generate(seed)
    write(shop, folder)
    people = shop.events["user"].n_unique()
    out.print(
        f"Generated shop in {folder} (seed {seed}): "
        f"{len(shop.items):,} items, {people:,} shoppers, {len(shop.events):,} events."
    )
    out.print(f"Next: kgrank load {folder} --ontology ontology/fashion --store {folder / 'graph.lb'}")
