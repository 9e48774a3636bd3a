"""Options that many commands have, and the shop that they open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from kgrank.cli.common import out
from kgrank.cli.ranking.words import word
from kgrank.errors import InputError

if TYPE_CHECKING:
    from kgrank.choice.tastes.person import PersonTastes
    from kgrank.ranking import Shop


STORE = "KGRANK_STORE"


DEMO = Path("demo-shop/graph.lb")


Category = Annotated[
    str, typer.Argument(metavar="CATEGORY", help="Id or name of the category, in any language.")
]


Store = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        envvar=STORE,
        help=f"A file, or bolt://host:7687. Without it {DEMO}, if there is one.",
    ),
]


After = Annotated[
    list[str] | None,
    typer.Option(metavar="ITEM", help="An item looked at before; repeat it, the oldest first."),
]


User = Annotated[
    str | None,
    typer.Option(metavar="USER", help="For one shopper: their own weights, from their events in the store."),
]


Segment = Annotated[
    str | None,
    typer.Option(metavar="SEGMENT", help="For a segment of people, by id or name: its mean tastes."),
]


Language = Annotated[str, typer.Option(help="Of names and sentences: en or zh.")]


Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


@contextmanager
def opened(
    address: str | None,
    user: str | None = None,
    *,
    history: bool = True,
    purchases: bool = True,
    segment: str | None = None,
) -> Iterator[tuple[Shop, PersonTastes | None]]:
    """The shop at an address, and a user's own tastes; its store is closed at once.

    Args:
        address: Of the store; the demo's by default.
        user: A user's id.
        history: Whether the behaviour terms are needed.
        purchases: Whether it matters what the user, or the shopper of a session, bought.
        segment: A segment of people, whose mean tastes stand in for a user's.

    Raises:
        InputError: A user and a segment at once.
    """
    from kgrank.graph.connect import open_store
    from kgrank.ranking import open_shop

    if user is not None and segment is not None:
        raise InputError(
            "a shopper and a segment at once", expected="--user or --segment; a shopper's own is used anyway"
        )
    tastes = None
    with open_store(address or default_store()) as store:
        # A session, which is a history, may have purchases.
        persons = purchases and (history or user is not None)
        shop = open_shop(store, history=history, persons=persons)
        if user is not None:
            from kgrank.ranking.shopper.person import read_person

            tastes = read_person(store, shop, user)
    if segment is not None:
        from kgrank.ranking.shopper.person import segment_tastes_in

        tastes = segment_tastes_in(shop, segment)
    yield shop, tastes


def default_store() -> str:
    """The demo's store.

    Raises:
        InputError: There is none.
    """
    if DEMO.exists():
        return str(DEMO)
    raise InputError(
        "no store is named",
        expected=f"--store ADDRESS, the environment variable {STORE}, or {DEMO}",
        todo=f"Make the demo's: kgrank demo run, or its files alone with kgrank demo build {DEMO.parent}",
    )


def print_shopper(user: str | None, tastes: PersonTastes | None, language: str) -> None:
    """Whose tastes these are."""
    if tastes and tastes.choices:
        out.print(word("own choices", language, user=escape(user or ""), choices=tastes.choices))
    elif tastes and tastes.liking is not None and tastes.is_known:
        items = len(tastes.liking.vector.bought)
        out.print(word("own purchases", language, user=escape(user or ""), items=items))
    elif tastes and tastes.segment is None:
        out.print(word("no tastes", language, user=escape(user or "")))


def table(*columns: str, right: set[str]) -> Table:
    """An empty table."""
    empty = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        empty.add_column(name, justify="right" if name in right else "left")
    return empty
