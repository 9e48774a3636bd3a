"""The options that say what to rank and for whom, and the query that they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from kgrank.codec import DocumentError, decode
from kgrank.documents import load_json
from kgrank.errors import InputError

if TYPE_CHECKING:
    from kgrank.choice.tastes.person import PersonTastes
    from kgrank.ranking.catalogue.shop import Shop
    from kgrank.ranking.page.query import Filter, Query
    from kgrank.ranking.shopper.session import Event, Session

T = TypeVar("T")

Text = Annotated[
    str | None,
    typer.Option(
        "--query", metavar="WORDS", help="Only items with these words, in any language of the shop."
    ),
]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="ATTRIBUTE=…",
        help="Only items with one of some values, color=red,blue, or a number within bounds, price=10..50; "
        "repeat it for more.",
    ),
]
Items = Annotated[
    list[str] | None, typer.Option("--item", metavar="ITEM", help="Rank this item only; repeat it for more.")
]
SessionFile = Annotated[
    Path | None,
    typer.Option(
        "--session",
        metavar="FILE",
        help='Events of a session, a line of JSON each, {"kind": "view", "item": "…", "shown": ["…"]}.',
    ),
]
Events = Annotated[
    list[str] | None,
    typer.Option(
        "--event",
        metavar="KIND:ITEM",
        help="One more event of the session: view:ITEM, cart:ITEM, purchase:ITEM or search:WORDS; repeat it.",
    ),
]
CurationFile = Annotated[
    Path | None,
    typer.Option(
        "--curation",
        metavar="FILE",
        help='Pins, boosts, buries, excludes and caps, {"pins": [{"item": "…", "position": 1, "reason": "…"}]}.',
    ),
]
Exposure = Annotated[bool, typer.Option("--exposure", help="Apply the ontology's Exposure rules as caps.")]
Diversity = Annotated[
    float,
    typer.Option(
        min=0.0, help="How much unlike each other the first items shall be: 0 (not at all) to below 1."
    ),
]


@dataclass(frozen=True)
class QueryOptions:
    """The options of a command that ranks, as typed; ``query`` makes the query."""

    category: str | None = None
    text: str | None = None
    filters: Sequence[str] = ()
    items: Sequence[str] = ()
    after: Sequence[str] = ()
    session: Path | None = None
    events: Sequence[str] = ()
    curation: Path | None = None
    exposure: bool = False
    diversity: float = 0.0
    page: int = 1
    size: int = 20
    language: str = "en"

    @property
    def history(self) -> bool:
        """Whether the ranking follows what was looked at."""
        return bool(self.after or self.session or self.events)

    def query(self, shop: Shop, person: PersonTastes | None) -> Query:
        """The query.

        Raises:
            InputError: An option or a file that says nothing.
        """
        from kgrank.cli.curation import Curation
        from kgrank.ranking.catalogue.category_names import category_id
        from kgrank.ranking.page.query import Query

        curation = _document(self.curation, Curation) if self.curation else Curation()
        return Query(
            category=None if self.category is None else category_id(shop.ontology, self.category),
            text=self.text,
            candidates=tuple(self.items) or None,
            filters=tuple(read_filter(f) for f in self.filters),
            page=self.page,
            size=self.size,
            pins=curation.pins,
            boosts=curation.boosts,
            buries=curation.buries,
            excludes=curation.excludes,
            caps=curation.caps,
            exposure=self.exposure,
            diversity=self.diversity,
            history=tuple(self.after),
            person=person,
            session=self._session(shop, person),
            language=self.language,
        )

    def _session(self, shop: Shop, person: PersonTastes | None) -> Session | None:
        if not (self.session or self.events):
            return None
        # Only a session needs scipy.
        from kgrank.ranking.shopper.session import observe, start

        session = start(shop, person)
        for event in (*(_logged(self.session) if self.session else ()), *map(read_event, self.events)):
            session = observe(shop, session, event)
        return session


def read_filter(text: str) -> Filter:
    """A filter as typed: ``color=red,blue`` or ``price=10..50``.

    Raises:
        InputError: Neither.
    """
    from kgrank.ranking.page.query import Filter

    attribute, equals, rest = text.partition("=")
    low, dots, high = rest.partition("..")
    try:
        if attribute and equals and dots:
            return Filter(attribute, (), float(low) if low else None, float(high) if high else None)
    except ValueError:
        pass
    else:
        values = tuple(v for v in rest.split(",") if v)
        if attribute and values:
            return Filter(attribute, values)
    raise InputError(
        f"the filter {text!r} says nothing", expected="values or a range: color=red,blue or price=10..50"
    )


def read_event(text: str) -> Event:
    """An event as typed: ``view:ITEM`` or ``search:WORDS``.

    Raises:
        InputError: Neither.
    """
    from kgrank.ranking.shopper.session import SEARCH, Event

    kind, colon, rest = text.partition(":")
    if not (kind and colon and rest):
        raise InputError(
            f"the event {text!r} says nothing", expected="an item or words: view:dresses-001 or search:red"
        )
    return Event(kind, text=rest) if kind == SEARCH else Event(kind, rest)


def _logged(path: Path) -> list[Event]:
    from kgrank.ranking.shopper.session import Event

    events = []
    for number, line in enumerate(_read(path).splitlines(), 1):
        if line.strip():
            events.append(_decoded(line, Event, f"{path}:{number}"))
    return events


def _document(path: Path, kind: Callable[..., T]) -> T:
    return _decoded(_read(path), kind, path)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error})", where=path) from None


def _decoded(text: str, kind: Callable[..., T], where: object) -> T:
    try:
        value: Any = load_json(text)
        return decode(kind, value)
    except DocumentError as error:
        place = f" at {error.path_text}" if error.path else ""
        raise InputError(f"{error.problem}{place}", where=where) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not JSON ({error})", where=where) from None
