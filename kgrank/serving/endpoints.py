"""What can be asked over HTTP: one table of endpoints, from which routes and OpenAPI are made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kgrank.choice.tastes.person import PersonTastes
from kgrank.errors import InputError
from kgrank.ranking import Explanation, Importance, answer, explain, importance
from kgrank.ranking.explain.compare import Comparison, compare
from kgrank.ranking.explain.counterfactuals import Counterfactuals, counterfactuals
from kgrank.ranking.page.facets import Facets, facets
from kgrank.ranking.page.query import LeftOut, Query, RankedItem
from kgrank.ranking.shopper.session import Session
from kgrank.ranking.shopper.shifts import Shift, shifts
from kgrank.serving.current import SILENCE, Current, Served, silent
from kgrank.serving.keys import Role
from kgrank.serving.messages import (
    CompareRequest,
    CounterfactualRequest,
    EventsRequest,
    ExplainRequest,
    QueryRequest,
    RankRequest,
    ServeRequest,
    events_of,
)
from kgrank.serving.sessions import SessionBook
from kgrank.weights.model import RuleConflict, RuleFinding


@dataclass(frozen=True)
class RankingPage:
    """One page of a ranking; ``kgrank.ranking.page.query.RankedPage`` says what each field means."""

    category: str
    page: int
    size: int
    item_count: int
    version: str
    items: tuple[RankedItem, ...]
    notes: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class SessionState:
    """A session's events, and what they moved in the category of the last one."""

    session: str
    events: int
    category: str | None
    shifts: tuple[Shift, ...]


@dataclass(frozen=True)
class Audit:
    """What the data say of each rule, and which rules fight."""

    version: str
    findings: tuple[RuleFinding, ...]
    conflicts: tuple[RuleConflict, ...]


@dataclass(frozen=True)
class ServedVersion:
    """Which version of the weights is served."""

    version: str
    loaded: str


@dataclass(frozen=True)
class Request:
    """One request, after its checks.

    Attributes:
        served: What is served; the whole request uses this one.
        current: Where it comes from.
        sessions: The sessions.
        path: Parameters of the path.
        body: The message, where the endpoint takes one.
    """

    served: Served
    current: Current
    sessions: SessionBook
    path: Mapping[str, str]
    body: Any


Handler = Callable[[Request], Awaitable[Any]]


@dataclass(frozen=True)
class Endpoint:
    """One thing that can be asked.

    Attributes:
        method: Of HTTP.
        path: With parameters in braces.
        role: What a key must be allowed.
        takes: Type of the message; None where there is none.
        gives: Type of the answer.
        handler: From the request to the answer.
        example: A message.
    """

    method: str
    path: str
    role: Role
    takes: Any
    gives: Any
    handler: Handler
    example: Mapping[str, Any] = field(default_factory=dict)


async def _query(asked: Request) -> Query:
    """The question with the shopper's tastes and session."""
    body: QueryRequest = asked.body
    session = None
    if body.session is not None:
        session = _session(asked, body.session)
    person = None
    if body.user is not None and session is None:
        person = await _person(asked, body.user)
    return body.query(person, session)


async def _person(asked: Request, user: str) -> PersonTastes:
    """A user's own tastes; the store is asked for those that are not in memory."""
    found = asked.served.persons.get(user)
    if found is not None:
        return found
    try:
        async with asyncio.timeout(SILENCE):
            return await asyncio.to_thread(asked.current.person, asked.served, user)
    except TimeoutError:
        raise silent(asked.current.address) from None


def _session(asked: Request, name: str) -> Session:
    session = asked.sessions.get(name, asked.served.shop)
    if session is None:
        raise InputError(f"there is no session {name!r}", todo="Post its events first; it may have ended.")
    return session


async def rank_endpoint(asked: Request) -> RankingPage:
    """Rank items: a category, words, or candidates, with filters and curation."""
    found = answer(asked.served.shop, await _query(asked))
    return RankingPage(
        found.category,
        found.page,
        found.size,
        found.item_count,
        found.version,
        found.items,
        found.notes,
        found.left_out,
    )


async def facets_endpoint(asked: Request) -> Facets:
    """The filters to show, and the values in each, by what they decide."""
    return facets(asked.served.shop, await _query(asked))


async def explain_endpoint(asked: Request) -> Explanation:
    """Why an item stands where it does."""
    query, body = await _query(asked), asked.body
    person = query.person.deviations if query.person else None
    if query.session is not None:
        columns = asked.served.shop.weights.population.columns
        person = dict(zip(columns, query.session.deviations.tolist(), strict=True))
    history = (*query.history, *(query.session.items if query.session else ()))
    return explain(
        asked.served.shop,
        body.item,
        body.category,
        history=history,
        person=person,
        language=body.language,
    )


async def compare_endpoint(asked: Request) -> Comparison:
    """Why one item stands above another, attribute by attribute."""
    return compare(asked.served.shop, await _query(asked), asked.body.first, asked.body.second)


async def ways_endpoint(asked: Request) -> Counterfactuals:
    """What would bring an item into the first places."""
    return counterfactuals(asked.served.shop, await _query(asked), asked.body.item, asked.body.first)


async def importance_endpoint(asked: Request) -> Importance:
    """How much each attribute matters in a category."""
    return importance(asked.served.shop, asked.path["category"])


async def audit_endpoint(asked: Request) -> Audit:
    """What the data say of each rule."""
    weights = asked.served.shop.weights
    return Audit(asked.served.version, weights.findings, weights.conflicts)


async def observe_endpoint(asked: Request) -> SessionState:
    """Tell what a shopper did; the session begins with the first event."""
    body: EventsRequest = asked.body
    name, shop = asked.path["session"], asked.served.shop
    person = None
    if body.user is not None and asked.sessions.get(name, shop) is None:
        person = await _person(asked, body.user)
    session = asked.sessions.observe(name, shop, events_of(body), person)
    return _state(asked, session, body.language)


async def session_endpoint(asked: Request) -> SessionState:
    """What a session's events moved."""
    return _state(asked, _session(asked, asked.path["session"]), "en")


async def undo_endpoint(asked: Request) -> SessionState:
    """Take an event back, counted from 0: the session is as if it had never happened."""
    which = asked.path["event"]
    if not which.isdecimal() or len(which) > 9:
        raise InputError(f"event {which!r}", expected="its number, from 0")
    return _state(asked, asked.sessions.undo(asked.path["session"], asked.served.shop, int(which)), "en")


async def end_endpoint(asked: Request) -> SessionState:
    """Forget a session."""
    asked.sessions.end(asked.path["session"])
    return SessionState(asked.path["session"], 0, None, ())


async def versions_endpoint(asked: Request) -> ServedVersion:
    """Which version of the weights is served."""
    return ServedVersion(asked.served.version, asked.served.loaded)


async def serve_endpoint(asked: Request) -> ServedVersion:
    """Serve another version of the weights, an earlier one too."""
    await asyncio.to_thread(asked.current.serve, asked.body.version)
    now = asked.current.served or asked.served
    return ServedVersion(now.version, now.loaded)


def _state(asked: Request, session: Session, language: str) -> SessionState:
    shop = asked.served.shop
    rows = [shop.items.index[i] for i in session.items[-1:] if i in shop.items.index]
    last = session.events[-1] if session.events else None
    category = (last.category if last else None) or (shop.home(rows) if rows else None)
    if category not in shop.weights.categories:
        category = None
    moved = () if category is None else shifts(shop, session, category, language)
    return SessionState(asked.path["session"], session.count, category, moved)


_ITEMS = {"category": "dresses", "language": "en"}
ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/rank",
        Role.READ,
        RankRequest,
        RankingPage,
        rank_endpoint,
        {"category": "dresses", "size": 5, "filters": [{"attribute": "price", "maximum": 80}]},
    ),
    Endpoint("POST", "/v1/facets", Role.READ, RankRequest, Facets, facets_endpoint, _ITEMS),
    Endpoint(
        "POST",
        "/v1/explain",
        Role.READ,
        ExplainRequest,
        Explanation,
        explain_endpoint,
        {"item": "dresses-001", "category": "dresses"},
    ),
    Endpoint(
        "POST",
        "/v1/compare",
        Role.READ,
        CompareRequest,
        Comparison,
        compare_endpoint,
        {"category": "dresses", "first": "dresses-001", "second": "dresses-002"},
    ),
    Endpoint(
        "POST",
        "/v1/ways",
        Role.READ,
        CounterfactualRequest,
        Counterfactuals,
        ways_endpoint,
        {"category": "dresses", "item": "dresses-001", "first": 10},
    ),
    Endpoint("GET", "/v1/importance/{category}", Role.READ, None, Importance, importance_endpoint),
    Endpoint("GET", "/v1/audit", Role.READ, None, Audit, audit_endpoint),
    Endpoint(
        "POST",
        "/v1/sessions/{session}/events",
        Role.WRITE,
        EventsRequest,
        SessionState,
        observe_endpoint,
        {"events": [{"kind": "view", "item": "dresses-001"}]},
    ),
    Endpoint("GET", "/v1/sessions/{session}", Role.READ, None, SessionState, session_endpoint),
    Endpoint(
        "DELETE", "/v1/sessions/{session}/events/{event}", Role.WRITE, None, SessionState, undo_endpoint
    ),
    Endpoint("DELETE", "/v1/sessions/{session}", Role.WRITE, None, SessionState, end_endpoint),
    Endpoint("GET", "/v1/weights", Role.READ, None, ServedVersion, versions_endpoint),
    Endpoint(
        "PUT",
        "/v1/weights",
        Role.ADMIN,
        ServeRequest,
        ServedVersion,
        serve_endpoint,
        {"version": "w-20261124-101500-3fe20a"},
    ),
)
