"""What a request may hold, checked strictly: an unknown field or a wrong type is named with its path."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta, Struct

from kgrank.choice.tastes.person import PersonTastes
from kgrank.ranking.page.query import PAGE, Boost, Bury, Cap, Exclude, Filter, Pin, Query
from kgrank.ranking.shopper.session import Event, Session

Id = Annotated[str, Meta(min_length=1, max_length=512)]
Words = Annotated[str, Meta(max_length=1000)]
Language = Annotated[str, Meta(pattern="^(en|zh)$", examples=["en"])]


def strict(kind: type) -> Any:
    """A dataclass as a message that refuses fields it does not know."""
    hints = get_type_hints(kind)
    known = []
    for f in fields(kind):
        has = f.default is not MISSING
        known.append((f.name, hints[f.name], f.default) if has else (f.name, hints[f.name]))
    return msgspec.defstruct(
        kind.__name__,
        known,
        frozen=True,
        forbid_unknown_fields=True,
        namespace={"__doc__": kind.__doc__, "_made_from": kind},
    )


FilterBody, PinBody, BoostBody = strict(Filter), strict(Pin), strict(Boost)
BuryBody, ExcludeBody, CapBody, EventBody = strict(Bury), strict(Exclude), strict(Cap), strict(Event)


class QueryRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all questions share; ``kgrank.ranking.page.query.Query`` says what each field means."""

    category: Id | None = None
    text: Words | None = None
    candidates: Annotated[tuple[Id, ...], Meta(max_length=10_000)] | None = None
    filters: Annotated[tuple[FilterBody, ...], Meta(max_length=50)] = ()  # type: ignore[valid-type]
    history: Annotated[tuple[Id, ...], Meta(max_length=200)] = ()
    user: Id | None = None
    session: Id | None = None
    language: Language = "en"

    def query(self, person: PersonTastes | None, session: Session | None) -> Query:
        """The same for the query module."""
        values = {f: getattr(self, f) for f in self.__struct_fields__ if f not in _OTHERS}
        plain: dict[str, Any] = {f: tuple(map(_plain, v)) if f in _LISTS else v for f, v in values.items()}
        return Query(**plain, person=person, session=session)


class RankRequest(QueryRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A question for one page of a ranking."""

    page: Annotated[int, Meta(ge=1)] = 1
    size: Annotated[int, Meta(ge=1, le=1000)] = PAGE
    pins: Annotated[tuple[PinBody, ...], Meta(max_length=100)] = ()  # type: ignore[valid-type]
    boosts: Annotated[tuple[BoostBody, ...], Meta(max_length=100)] = ()  # type: ignore[valid-type]
    buries: Annotated[tuple[BuryBody, ...], Meta(max_length=100)] = ()  # type: ignore[valid-type]
    excludes: Annotated[tuple[ExcludeBody, ...], Meta(max_length=100)] = ()  # type: ignore[valid-type]
    caps: Annotated[tuple[CapBody, ...], Meta(max_length=20)] = ()  # type: ignore[valid-type]
    exposure: bool = False
    diversity: Annotated[float, Meta(ge=0, lt=1)] = 0.0


class ExplainRequest(QueryRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why an item stands where it does in a category."""

    item: Id
    category: Id


class CompareRequest(QueryRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why one item stands above another."""

    first: Id
    second: Id


class CounterfactualRequest(QueryRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What would bring an item into the first places."""

    item: Id
    first: Annotated[int, Meta(ge=1, le=1000)] = 10


class EventsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a shopper did, oldest first; ``user`` begins the session with what is known of them."""

    events: Annotated[tuple[EventBody, ...], Meta(min_length=1, max_length=100)]  # type: ignore[valid-type]
    user: Id | None = None
    language: Language = "en"


class ServeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which version of the weights to serve."""

    version: Id


_OTHERS = {"user", "session", "item", "first", "second"}
_LISTS = {"filters", "pins", "boosts", "buries", "excludes", "caps"}


def _plain(message: Any) -> Any:
    return message._made_from(**msgspec.structs.asdict(message))


def events_of(asked: EventsRequest) -> list[Event]:
    """The events for the session module."""
    return [_plain(event) for event in asked.events]
