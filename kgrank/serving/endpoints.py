"""What can be asked over HTTP: one table of endpoints, from which routes and OpenAPI are made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kgrank.choice.tastes.person import PersonTastes
from kgrank.errors import InputError
from kgrank.ranking.answers import (
    Audit,
    Comparison,
    Counterfactuals,
    Explanation,
    Facets,
    Importance,
    Personal,
    Ranking,
    ServedVersion,
    SessionState,
    for_user,
)
from kgrank.ranking.explain.audit import audit
from kgrank.ranking.explain.compare import compare
from kgrank.ranking.explain.counterfactuals import counterfactuals
from kgrank.ranking.explain.importance import importance
from kgrank.ranking.explain.item import explain_query
from kgrank.ranking.page.document import ranking
from kgrank.ranking.page.facets import facets
from kgrank.ranking.page.query import Query
from kgrank.ranking.shopper.person import segment_tastes_in
from kgrank.ranking.shopper.session import Session
from kgrank.ranking.shopper.shifts import session_state
from kgrank.serving.candidates import dropped_note, with_known_candidates
from kgrank.serving.current import SILENCE, Current, Served, silent
from kgrank.serving.keys import Role
from kgrank.serving.messages import (
    SESSION,
    CompareRequest,
    CounterfactualRequest,
    EventsRequest,
    ExplainRequest,
    QueryRequest,
    RankRequest,
    ServeRequest,
    WaysRequest,
    session_events,
)
from kgrank.serving.sessions import SessionBook
from kgrank.serving.ways import Ways, former_names
from kgrank.serving.work import Answer, Workers


@dataclass(frozen=True)
class Request:
    """One request, after its checks.

    Attributes:
        served: What is served; the whole request uses this one.
        current: Where it comes from.
        sessions: The sessions.
        path: Parameters of the path.
        body: The message, where the endpoint takes one.
        workers: Compute large questions.
        owner: To whom the sessions belong: the name of the caller's key, or nothing where all share them.
    """

    served: Served
    current: Current
    sessions: SessionBook
    path: Mapping[str, str]
    body: Any
    workers: Workers
    owner: str = ""

    async def compute(self, function: Callable[[], Answer]) -> Answer:
        """The value of a function, computed by a thread where the message is large."""
        return await self.workers.compute(self.body, function)

    def session(self, name: str) -> str:
        """What the book of sessions calls the caller's session of a name.

        Raises:
            InputError: The name has other characters than it may have, or too many.
        """
        if not SESSION.fullmatch(name):
            raise InputError(
                f"the session {name[:128]!r}", expected="1 to 128 letters, digits and . _ ~ : @ + = -"
            )
        # No name has a slash, so that no two keys share one.
        return f"{self.owner}/{name}" if self.owner else name


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
        successor: The path that replaces this one; such an endpoint is marked as deprecated.
    """

    method: str
    path: str
    role: Role
    takes: Any
    gives: Any
    handler: Handler
    example: Mapping[str, Any] = field(default_factory=dict)
    successor: str | None = None


async def _query(request: Request) -> Query:
    """The query with the shopper's tastes and session."""
    body: QueryRequest = request.body
    if body.segment is not None and (body.user is not None or body.session is not None):
        raise InputError(
            "a segment beside a user or a session",
            expected="one of them; a user's own segment is used anyway",
        )
    session = None
    if body.session is not None:
        session = _session(request, body.session)
    person = None
    if body.user is not None and session is None:
        person = await _person(request, body.user)
    if body.segment is not None:
        person = segment_tastes_in(request.served.shop, body.segment)
    query = body.query(person, session)
    if not query.candidates:
        return query
    return await request.compute(lambda: with_known_candidates(request.served.shop, query))


async def _person(request: Request, user: str) -> PersonTastes:
    """A user's own tastes; the store is asked for those that are not in memory."""
    tastes = request.served.persons.get(user)
    if tastes is not None:
        return tastes
    try:
        async with asyncio.timeout(SILENCE):
            return await asyncio.to_thread(request.current.person, request.served, user)
    except TimeoutError:
        raise silent(request.current.address) from None


def _session(request: Request, name: str) -> Session:
    session = request.sessions.get(request.session(name), request.served.shop)
    if session is None:
        raise InputError(f"there is no session {name!r}", todo="Post its events first; it may have ended.")
    return session


def _for_shopper(request: Request, query: Query, answer: Personal) -> Personal:
    """The answer that says whose tastes were used: the session's shopper, or the user that was named.

    And which of the candidates that were asked about are not ranked.
    """
    body: QueryRequest = request.body
    note = dropped_note(body.candidates, query)
    if note:
        answer = replace(answer, notes=(*answer.notes, note))
    if body.session is not None:
        return for_user(answer, *request.sessions.shopper(request.session(body.session)))
    return for_user(answer, body.user, query.person)


async def rank_endpoint(request: Request) -> Ranking:
    """Rank items: a category, words, or candidates, with filters and curation."""
    query, shop = await _query(request), request.served.shop
    answer = await request.compute(lambda: ranking(shop, query, shifts=request.body.shifts))
    return _for_shopper(request, query, answer)


async def facets_endpoint(request: Request) -> Facets:
    """The filters to show, and the values in each, by what they decide."""
    query, shop = await _query(request), request.served.shop
    return _for_shopper(request, query, await request.compute(lambda: facets(shop, query)))


async def explain_endpoint(request: Request) -> Explanation:
    """Why an item has its position; on demand also why above another, and what would bring it up."""
    query, body = await _query(request), request.body
    shop = request.served.shop
    explanation = await request.compute(
        lambda: explain_query(shop, query, body.item, over=body.over, into=body.into)
    )
    return _for_shopper(request, query, explanation)


async def compare_endpoint(request: Request) -> Comparison:
    """Why one item ranks above another, attribute by attribute."""
    query, body = await _query(request), request.body
    shop = request.served.shop
    comparison = await request.compute(lambda: compare(shop, query, body.first, body.second))
    return _for_shopper(request, query, comparison)


async def counterfactuals_endpoint(request: Request) -> Counterfactuals:
    """What would bring an item among the first of a ranking."""
    query, body = await _query(request), request.body
    shop = request.served.shop
    answer = await request.compute(lambda: counterfactuals(shop, query, body.item, body.top))
    return _for_shopper(request, query, answer)


async def ways_endpoint(request: Request) -> Ways:
    """What would bring an item among the first, under its former names: use /v1/counterfactuals."""
    query, body = await _query(request), request.body
    shop = request.served.shop
    return former_names(await request.compute(lambda: counterfactuals(shop, query, body.item, body.first)))


async def importance_endpoint(request: Request) -> Importance:
    """How much each attribute matters in a category."""
    return importance(request.served.shop, request.path["category"])


async def audit_endpoint(request: Request) -> Audit:
    """What the data say of each rule."""
    return audit(request.served.shop.weights)


async def observe_endpoint(request: Request) -> SessionState:
    """Add what a shopper did to a session; the session begins with the first event."""
    body: EventsRequest = request.body
    name, shop = request.session(request.path["session"]), request.served.shop
    person = None
    if body.user is not None and request.sessions.get(name, shop) is None:
        person = await _person(request, body.user)
    session = await request.sessions.observe_in_turn(
        name, shop, session_events(body, shop), body.user, person
    )
    return _state(request, session, body.language)


async def session_endpoint(request: Request) -> SessionState:
    """What a session's events moved."""
    return _state(request, _session(request, request.path["session"]), "en")


async def undo_endpoint(request: Request) -> SessionState:
    """Take an event back, counted from 0: the session is as if it had never happened."""
    name, which = request.path["session"], request.path["event"]
    if not which.isdecimal() or len(which) > 9:
        raise InputError(f"event {which!r}", expected="its number, from 0")
    _session(request, name)
    session = request.sessions.undo(request.session(name), request.served.shop, int(which))
    return _state(request, session, "en")


async def end_endpoint(request: Request) -> SessionState:
    """Forget a session."""
    name = request.path["session"]
    request.sessions.end(request.session(name))
    return SessionState(request.served.version, name, event_count=0, category=None, shifts=())


async def versions_endpoint(request: Request) -> ServedVersion:
    """Which version of the weights is served."""
    return ServedVersion(request.served.version, request.served.loaded)


async def serve_endpoint(request: Request) -> ServedVersion:
    """Serve another version of the weights, an earlier one too."""
    await asyncio.to_thread(request.current.serve, request.body.version)
    served = request.current.served or request.served
    return ServedVersion(served.version, served.loaded)


def _state(request: Request, session: Session, language: str) -> SessionState:
    name = request.path["session"]
    state = session_state(request.served.shop, session, name, language)
    return for_user(state, *request.sessions.shopper(request.session(name)))


_CATEGORY = {"category": "dresses", "language": "en"}
_RANK = {"category": "dresses", "size": 5, "filters": [{"attribute": "price", "maximum": 80}]}
_EXPLAIN = {"item": "dresses-001", "category": "dresses"}
_COMPARE = {"category": "dresses", "first": "dresses-001", "second": "dresses-002"}
_COUNTERFACTUALS = {"category": "dresses", "item": "dresses-001", "top": 10}
_WAYS = {"category": "dresses", "item": "dresses-001", "first": 10}
_EVENTS = {"events": [{"kind": "view", "item": "dresses-001"}]}
_SERVE = {"version": "w-20261124-101500-3fe20a"}
ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/rank",
        role=Role.READ,
        takes=RankRequest,
        gives=Ranking,
        handler=rank_endpoint,
        example=_RANK,
    ),
    Endpoint(
        method="POST",
        path="/v1/facets",
        role=Role.READ,
        takes=RankRequest,
        gives=Facets,
        handler=facets_endpoint,
        example=_CATEGORY,
    ),
    Endpoint(
        method="POST",
        path="/v1/explain",
        role=Role.READ,
        takes=ExplainRequest,
        gives=Explanation,
        handler=explain_endpoint,
        example=_EXPLAIN,
    ),
    Endpoint(
        method="POST",
        path="/v1/compare",
        role=Role.READ,
        takes=CompareRequest,
        gives=Comparison,
        handler=compare_endpoint,
        example=_COMPARE,
    ),
    Endpoint(
        method="POST",
        path="/v1/counterfactuals",
        role=Role.READ,
        takes=CounterfactualRequest,
        gives=Counterfactuals,
        handler=counterfactuals_endpoint,
        example=_COUNTERFACTUALS,
    ),
    Endpoint(
        method="POST",
        path="/v1/ways",
        role=Role.READ,
        takes=WaysRequest,
        gives=Ways,
        handler=ways_endpoint,
        example=_WAYS,
        successor="/v1/counterfactuals",
    ),
    Endpoint(
        method="GET",
        path="/v1/importance/{category}",
        role=Role.READ,
        takes=None,
        gives=Importance,
        handler=importance_endpoint,
    ),
    Endpoint(
        method="GET",
        path="/v1/audit",
        role=Role.READ,
        takes=None,
        gives=Audit,
        handler=audit_endpoint,
    ),
    Endpoint(
        method="POST",
        path="/v1/sessions/{session}/events",
        role=Role.WRITE,
        takes=EventsRequest,
        gives=SessionState,
        handler=observe_endpoint,
        example=_EVENTS,
    ),
    Endpoint(
        method="GET",
        path="/v1/sessions/{session}",
        role=Role.READ,
        takes=None,
        gives=SessionState,
        handler=session_endpoint,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/sessions/{session}/events/{event}",
        role=Role.WRITE,
        takes=None,
        gives=SessionState,
        handler=undo_endpoint,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/sessions/{session}",
        role=Role.WRITE,
        takes=None,
        gives=SessionState,
        handler=end_endpoint,
    ),
    Endpoint(
        method="GET",
        path="/v1/weights",
        role=Role.READ,
        takes=None,
        gives=ServedVersion,
        handler=versions_endpoint,
    ),
    Endpoint(
        method="PUT",
        path="/v1/weights",
        role=Role.ADMIN,
        takes=ServeRequest,
        gives=ServedVersion,
        handler=serve_endpoint,
        example=_SERVE,
    ),
)
