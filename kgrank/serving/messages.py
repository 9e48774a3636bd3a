"""The messages of requests, checked strictly: an unknown field or a wrong type is named with its path."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields, replace
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta, Struct

from kgrank.choice.tastes.person import PersonTastes
from kgrank.errors import did_you_mean
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.catalogue.text import LONGEST
from kgrank.ranking.page.answer import LARGEST
from kgrank.ranking.page.query import PAGE, Boost, Bury, Cap, Exclude, Filter, Pin, Query
from kgrank.ranking.shopper.session import Event, Session

MAX_BODY = 1_000_000
"""Bytes of a body at most."""

LONGEST_ECHO = 1000
"""Characters of an error that repeats what a caller sent."""

Id = Annotated[str, Meta(min_length=1, max_length=512)]
Ids = Annotated[tuple[Id, ...], Meta(max_length=1000)]
SESSION = re.compile(r"[A-Za-z0-9._~:@+=-]{1,128}")
SessionId = Annotated[
    str,
    Meta(
        pattern=f"^{SESSION.pattern}$",
        max_length=128,
        description="1 to 128 letters, digits and . _ ~ : @ + = -; hard to guess, such as a UUID.",
    ),
]
Words = Annotated[str, Meta(max_length=LONGEST)]
Reason = Annotated[str, Meta(max_length=200, description="Why; shown with each item that it concerns.")]
Amount = Annotated[float, Meta(ge=-1e6, le=1e6)]
"""Logits; beyond them a score has no nine decimals left to be compared by."""

Position = Annotated[int, Meta(ge=1, le=10_000)]
Language = Annotated[str, Meta(pattern="^(en|zh)$", examples=["en"])]


def strict(kind: type, /, **bounds: Any) -> Any:
    """A dataclass as a message that refuses unknown fields.

    Args:
        kind: The dataclass.
        bounds: Types with bounds for its strings, lists and numbers, by field.
    """
    hints = get_type_hints(kind) | bounds
    columns = []
    for f in fields(kind):
        optional = f.default is not MISSING
        columns.append((f.name, hints[f.name], f.default) if optional else (f.name, hints[f.name]))
    return msgspec.defstruct(
        kind.__name__,
        columns,
        frozen=True,
        forbid_unknown_fields=True,
        namespace={"__doc__": kind.__doc__, "_made_from": kind},
    )


FilterBody = strict(Filter, attribute=Id, values=Ids)
PinBody = strict(Pin, item=Id, position=Position, reason=Reason)
BoostBody = strict(Boost, target=Id, amount=Amount, reason=Reason)
BuryBody = strict(Bury, target=Id, reason=Reason)
ExcludeBody = strict(Exclude, target=Id, reason=Reason)
CapBody = strict(
    Cap,
    attribute=Id,
    share=Annotated[float, Meta(ge=0, le=1)],
    top=Annotated[int, Meta(ge=1, le=LARGEST)],
    value=Id | None,
    reason=Reason,
)
EventBody = strict(
    Event,
    kind=Annotated[str, Meta(max_length=32)],
    item=Id | None,
    text=Words | None,
    shown=Ids,
    category=Id | None,
)


class QueryRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all questions share; ``kgrank.ranking.page.query.Query`` says what each field means.

    ``segment`` names people whose mean tastes stand in for those of a user.
    """

    category: Id | None = None
    text: Words | None = None
    candidates: Annotated[tuple[Id, ...], Meta(max_length=10_000)] | None = None
    filters: Annotated[tuple[FilterBody, ...], Meta(max_length=50)] = ()  # type: ignore[valid-type]
    history: Annotated[tuple[Id, ...], Meta(max_length=200)] = ()
    user: Id | None = None
    segment: Id | None = None
    session: SessionId | None = None
    language: Language = "en"

    def query(self, person: PersonTastes | None, session: Session | None) -> Query:
        """The same for the query module."""
        values = {f: getattr(self, f) for f in self.__struct_fields__ if f not in _OTHERS}
        plain: dict[str, Any] = {f: tuple(map(_plain, v)) if f in _LISTS else v for f, v in values.items()}
        return Query(**plain, person=person, session=session)


class RankRequest(QueryRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A question for one page of a ranking; ``shifts`` also asks what the session moved."""

    page: Annotated[int, Meta(ge=1, le=10**9)] = 1
    size: Annotated[int, Meta(ge=1, le=LARGEST)] = PAGE
    pins: Annotated[tuple[PinBody, ...], Meta(max_length=100)] = ()  # type: ignore[valid-type]
    boosts: Annotated[tuple[BoostBody, ...], Meta(max_length=100)] = ()  # type: ignore[valid-type]
    buries: Annotated[tuple[BuryBody, ...], Meta(max_length=100)] = ()  # type: ignore[valid-type]
    excludes: Annotated[tuple[ExcludeBody, ...], Meta(max_length=100)] = ()  # type: ignore[valid-type]
    caps: Annotated[tuple[CapBody, ...], Meta(max_length=20)] = ()  # type: ignore[valid-type]
    exposure: bool = False
    diversity: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    shifts: bool = False


class ExplainRequest(QueryRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why an item has its position in a category.

    On demand also why it ranks above another (``over``), and what would bring it among the first (``into``).
    """

    item: Id
    category: Id
    over: Id | None = None
    into: Annotated[int, Meta(ge=1, le=1000)] | None = None


class CompareRequest(QueryRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why one item ranks above another."""

    first: Id
    second: Id


class CounterfactualRequest(QueryRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What would bring an item among the first of a ranking."""

    item: Id
    top: Annotated[int, Meta(ge=1, le=1000)] = 10


class WaysRequest(QueryRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The message of ``/v1/ways``, before it became ``CounterfactualRequest``."""

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


_OTHERS = {"user", "segment", "session", "item", "first", "second", "top", "over", "into", "shifts"}
_PARTS = {
    "filters": FilterBody,
    "pins": PinBody,
    "boosts": BoostBody,
    "buries": BuryBody,
    "excludes": ExcludeBody,
    "caps": CapBody,
    "events": EventBody,
}
_UNKNOWN = re.compile(r"unknown field `([^`]*)`(?: - at `\$\.(\w+))?")
FORMER = {"first": "top"}
"""Names that fields had before, and have now."""

_LISTS = {"filters", "pins", "boosts", "buries", "excludes", "caps"}


def _plain(message: Any) -> Any:
    return message._made_from(**msgspec.structs.asdict(message))


def session_events(message: EventsRequest, shop: Shop) -> list[Event]:
    """The events of a request as session events, in their order, with the shop's own strings for its items.

    A session keeps them: a list of five hundred ids takes 4 kB so, and 30 kB with strings of its own.
    """
    ids, index = shop.items.ids, shop.items.index

    def own(item: str) -> str:
        return ids[index[item]] if item in index else item

    events = map(_plain, message.events)
    return [
        replace(e, item=None if e.item is None else own(e.item), shown=tuple(map(own, e.shown)))
        for e in events
    ]


def unknown_field_hint(message: Any, problem: str) -> str | None:
    """The field that was probably meant, where a decoder's problem is a field that the message does not have."""
    field = _UNKNOWN.search(problem)
    if field is None:
        return None
    name, part = field[1], field[2]
    fields_of = msgspec.structs.fields(_PARTS.get(part, message))
    known = {f.name for f in fields_of}
    return did_you_mean(FORMER[name] if FORMER.get(name) in known else name, known)


def shortened(text: str) -> str:
    """A text of a caller's own words, short enough to be given back to them."""
    return text if len(text) <= LONGEST_ECHO else f"{text[: LONGEST_ECHO - 1]}…"
