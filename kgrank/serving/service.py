"""The ASGI application: keys, limits, typed messages, errors, metrics and logs around the endpoints."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kgrank.errors import InputError, KgrankError, StoreError, WeightsError
from kgrank.ranking.answers import Health
from kgrank.serving.current import Current
from kgrank.serving.endpoints import ENDPOINTS, Endpoint, Request
from kgrank.serving.keys import KeyRing
from kgrank.serving.limits import Limiter
from kgrank.serving.messages import MAX_BODY, shortened, unknown_field_hint
from kgrank.serving.openapi import OPEN, document
from kgrank.serving.reference import POLICY, page
from kgrank.serving.sessions import SessionBook

Headers = list[tuple[bytes, bytes]]
JSON = b"application/json"
DOCS = "/docs"
DOCS_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]

DEPRECATED = b"@1795737600"
"""When the endpoints with a successor were deprecated (2026-11-27), in seconds of Unix time."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """How the service guards itself.

    Attributes:
        rate: Requests a second for each key (each address, without keys).
        burst: Requests at once on top of that.
        largest: Bytes of a body at most.
        patience: Seconds to wait for a body.
        refresh_seconds: Seconds between reads of what the store serves.
        shared_sessions: Whether the sessions that one key made are open to the others.
        log: Whether each request is a line of JSON on standard error.
    """

    rate: float = 200.0
    burst: float = 400.0
    largest: int = MAX_BODY
    patience: float = 10.0
    refresh_seconds: float = 2.0
    shared_sessions: bool = False
    log: bool = True


class ProblemError(Exception):
    """An answer that is an error."""

    def __init__(
        self, status: int, found: str, todo: str | None = None, headers: Headers | None = None
    ) -> None:
        super().__init__(found)
        self.status = status
        self.body = msgspec.json.encode({"error": {"found": found, "todo": todo}})
        self.headers = headers or []


class Service:
    """What all requests share.

    Args:
        current: What is served.
        keys: The API keys; None lets everybody in.
        settings: How the service guards itself.
    """

    def __init__(self, current: Current, keys: KeyRing | None, settings: Settings) -> None:
        self.current = current
        self.keys = keys
        self.settings = settings
        self.sessions = SessionBook()
        self.limiter = Limiter(settings.rate, settings.burst)
        self.salt = secrets.token_bytes(16)
        self._logged: str | None = None
        self.registry = CollectorRegistry()
        self.requests = Counter("kgrank_requests", "Requests", ["path", "status"], registry=self.registry)
        self.seconds = Histogram("kgrank_seconds", "Seconds of a request", ["path"], registry=self.registry)
        self.switches = Counter("kgrank_switches", "Versions and loads taken up", registry=self.registry)
        open_sessions = Gauge("kgrank_sessions", "Sessions in memory", registry=self.registry)
        open_sessions.set_function(lambda: len(self.sessions))
        store_error = Gauge("kgrank_store_error", "1 while the store cannot be read", registry=self.registry)
        store_error.set_function(lambda: current.store_error is not None)

    def pseudonym(self, user: str) -> str:
        """A user's name in the log: the same until the service starts again."""
        return hmac.new(self.salt, user.encode("utf-8", "surrogatepass"), sha256).hexdigest()[:16]

    async def refresh(self) -> bool:
        """Reads what the store serves, and logs its error when that changes; whether anything was taken up."""
        looking = asyncio.create_task(asyncio.to_thread(self.current.refresh))
        while not looking.done():
            await asyncio.wait({looking}, timeout=1.0)
            self._log_store_error()
        return looking.result()

    def _log_store_error(self) -> None:
        """Logs the store's error where that has changed."""
        error, served = self.current.store_error, self.current.served
        sentence = None if error is None else error.sentence()
        if sentence != self._logged:
            stays = f"Version {served.version} stays served." if served else "Nothing is served yet."
            _log.warning(
                "%s", f"{sentence} {stays}" if sentence else f"{self.current.address}: it can be read again."
            )
            self._logged = sentence

    async def watch(self) -> None:
        """Reads what the store serves again and again."""
        while True:
            await asyncio.sleep(self.settings.refresh_seconds)
            if await self.refresh():
                self.switches.inc()


class Application:
    """The service of a store, as an ASGI application.

    Paths without parameters, which most requests ask, go straight to their endpoint; the router takes as long as
    all the rest of a request.

    Args:
        router: Finds the endpoint of any path.
        direct: Endpoints by path.
    """

    def __init__(self, router: Starlette, direct: Mapping[str, ASGIApp]) -> None:
        self.router = router
        self.direct = direct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the lifespan."""
        endpoint = self.direct.get(scope.get("path", ""), self.router)
        scope.setdefault("path_params", {})
        await endpoint(scope, receive, send)


def application(
    current: Current, keys: KeyRing | None = None, settings: Settings | None = None
) -> Application:
    """The service of a store."""
    service = Service(current, keys, settings or Settings())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await service.refresh()
        watching = asyncio.create_task(service.watch())
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        current.close()

    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in ENDPOINTS:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    guarded: dict[str, ASGIApp] = {p: _Guarded(service, p, methods) for p, methods in by_path.items()}
    routes = [Route(path, endpoint) for path, endpoint in guarded.items()]
    routes += [Route(path, _Open(service, path)) for path in (*OPEN, DOCS)]
    router = Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _not_found})
    return Application(router, {path: e for path, e in guarded.items() if "{" not in path})


async def _not_found(request: Any, _: Exception) -> Any:
    found = f"there is no {shortened(request.url.path)}"
    body = ProblemError(404, found, "GET /docs shows all paths.").body
    return Response(body, 404, media_type="application/json")


class _Guarded:
    """The endpoints of one path, behind keys and limits."""

    def __init__(self, service: Service, path: str, methods: dict[str, Endpoint]) -> None:
        self.service = service
        self.path = path
        self.methods = methods
        self.decoders = {m: msgspec.json.Decoder(e.takes) for m, e in methods.items() if e.takes is not None}
        self.seconds = service.seconds.labels(path)
        self.fine = service.requests.labels(path, "200")
        self.headers = {m: _deprecation(e) for m, e in methods.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        log: dict[str, Any] = {}
        headers: Headers = self.headers.get(scope["method"], [])
        try:
            status, body = 200, await self._answer(scope, receive, log)
        except ProblemError as problem:
            status, body, headers = problem.status, problem.body, problem.headers
        except Exception:
            _log.exception("%s %s", scope["method"], self.path)
            status, body = 500, ProblemError(500, "an error of the service itself; its log has more").body
        seconds = time.perf_counter() - began
        if status == 200:
            self.fine.inc()
        else:
            self.service.requests.labels(self.path, str(status)).inc()
        self.seconds.observe(seconds)
        if self.service.settings.log:
            self._write_log(scope, status, seconds, log)
        await _send(send, status, body, headers)

    async def _answer(self, scope: Scope, receive: Receive, log: dict[str, Any]) -> bytes:
        """The body of an answer; ``log`` is given the caller's key and user."""
        method = scope["method"]
        endpoint = self.methods.get(method)
        if endpoint is None:
            allowed = ", ".join(self.methods).encode()
            raise ProblemError(405, f"{method} is not allowed here", headers=[(b"allow", allowed)])
        self._admit(scope, endpoint, log)
        raw = b"" if endpoint.takes is None else await self._body(receive)
        served = self.service.current.served
        if served is None:
            raise _unserved(self.service.current)
        cached = served.answers.get((scope["path"], raw)) if method != "PUT" else None
        if cached is not None:
            return cached
        message = self._decoded(method, raw)
        log["user"] = getattr(message, "user", None)
        request = Request(
            served=served,
            current=self.service.current,
            sessions=self.service.sessions,
            path=scope["path_params"],
            body=message,
            owner="" if self.service.settings.shared_sessions else log.get("key", ""),
        )
        value = await self._handled(endpoint, request)
        body = msgspec.json.encode(value)
        alone = log["user"] is None and getattr(message, "session", None) is None
        if alone and "session" not in scope["path_params"] and method != "PUT":
            served.remember(scope["path"], raw, body)
        return body

    def _admit(self, scope: Scope, endpoint: Endpoint, log: dict[str, Any]) -> None:
        """Whether the caller may ask this now; ``log`` is given the name of the key."""
        caller = (scope.get("client") or ("unknown",))[0]
        if self.service.keys is not None:
            secret = next((v for k, v in scope["headers"] if k == b"authorization"), b"")
            kind, _, value = secret.decode("latin-1").partition(" ")
            key = self.service.keys.find(value.strip()) if kind.lower() == "bearer" else None
            if key is None:
                raise ProblemError(
                    401,
                    "an unknown key" if secret else "no key",
                    "Send Authorization: Bearer KEY; `kgrank keys add` makes one.",
                    [(b"www-authenticate", b"Bearer")],
                )
            if not key.role.may(endpoint.role):
                raise ProblemError(
                    403, f"the key {key.name!r} has the role {key.role}", f"{endpoint.role} is needed."
                )
            caller = log["key"] = key.name
        wait = self.service.limiter.wait(caller)
        if wait:
            after = str(int(wait) + 1).encode()
            raise ProblemError(429, "too many requests", "Ask again later.", [(b"retry-after", after)])

    async def _body(self, receive: Receive) -> bytes:
        parts, size = [], 0
        try:
            async with asyncio.timeout(self.service.settings.patience):
                while True:
                    event = await receive()
                    if event["type"] == "http.disconnect":
                        raise ProblemError(408, "the caller left")
                    part = event.get("body", b"")
                    size += len(part)
                    if size > self.service.settings.largest:
                        most = f"At most {self.service.settings.largest:,} bytes."
                        raise ProblemError(413, "the body is too large", most, [(b"connection", b"close")])
                    parts.append(part)
                    if not event.get("more_body", False):
                        return parts[0] if len(parts) == 1 else b"".join(parts)
        except TimeoutError:
            raise ProblemError(408, "the body did not come in time") from None

    def _decoded(self, method: str, raw: bytes) -> Any:
        if method not in self.decoders:
            return None
        try:
            return self.decoders[method].decode(raw)
        except msgspec.ValidationError as error:
            hint = unknown_field_hint(self.methods[method].takes, str(error))
            describes = "GET /openapi.json describes the message."
            todo = f"{hint} {describes}" if hint else describes
            raise ProblemError(422, shortened(str(error)), todo) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ProblemError(400, f"no JSON: {shortened(str(error))}") from None

    async def _handled(self, endpoint: Endpoint, request: Request) -> Any:
        try:
            return await endpoint.handler(request)
        except InputError as error:
            raise _problem(422, error) from None
        except WeightsError as error:
            raise _problem(409, error) from None
        except StoreError as error:
            raise _unavailable(error) from None

    def _write_log(self, scope: Scope, status: int, seconds: float, log: dict[str, Any]) -> None:
        user = log.get("user")
        line = {
            "time": round(time.time(), 3),
            "method": scope["method"],
            "path": self.path,
            "status": status,
            "ms": round(1000 * seconds, 3),
            "key": log.get("key"),
            "user": user and self.service.pseudonym(user),
        }
        sys.stderr.write(msgspec.json.encode(line).decode() + "\n")


class _Open:
    """The paths that need no key."""

    def __init__(self, service: Service, path: str) -> None:
        self.service = service
        self.path = path
        self.document = msgspec.json.encode(document(ENDPOINTS)) if path == "/openapi.json" else b""
        self.page = page(document(ENDPOINTS)).encode() if path == DOCS else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await _send(send, 405, ProblemError(405, "only GET").body, [(b"allow", b"GET, HEAD")])
            return
        served = self.service.current.served
        if self.path == "/metrics":
            await _send(send, 200, generate_latest(self.service.registry), [], b"text/plain; version=0.0.4")
        elif self.path == "/openapi.json":
            await _send(send, 200, self.document, [])
        elif self.path == DOCS:
            await _send(send, 200, self.page, DOCS_HEADERS, b"text/html; charset=utf-8")
        elif self.path == "/health":
            await _send(send, 200, msgspec.json.encode(_health(self.service.current)), [])
        elif served is None:
            problem = _unserved(self.service.current)
            await _send(send, problem.status, problem.body, problem.headers)
        else:
            await _send(send, 200, msgspec.json.encode(_health(self.service.current)), [])


def _health(current: Current) -> Health:
    """What is served, and why the store cannot be read."""
    served, error = current.served, current.store_error
    return Health(
        version=served.version if served else None,
        status="running",
        loaded=served.loaded if served else None,
        store_error=None if error is None else _nowhere(error).sentence(),
    )


def _deprecation(endpoint: Endpoint) -> Headers:
    """The headers of an endpoint that another one replaces (RFC 9745, RFC 8288)."""
    if endpoint.successor is None:
        return []
    link = f'<{endpoint.successor}>; rel="successor-version"'.encode()
    return [(b"deprecation", DEPRECATED), (b"link", link)]


def _problem(status: int, error: KgrankError) -> ProblemError:
    problem = ProblemError(status, "")
    public = error if isinstance(error, InputError) else _nowhere(error)
    details = {
        "found": shortened(public.problem),
        "where": public.where,
        "expected": public.expected,
        "todo": public.todo,
    }
    problem.body = msgspec.json.encode({"error": details})
    return problem


def _nowhere(error: KgrankError) -> KgrankError:
    """The same without the store's address, which callers must not learn."""
    where = "the store" if error.where else None
    return KgrankError(error.problem, where=where, expected=error.expected, todo=error.todo)


def _unavailable(error: KgrankError) -> ProblemError:
    problem = _problem(503, error)
    problem.headers.append((b"retry-after", b"2"))
    return problem


def _unserved(current: Current) -> ProblemError:
    """Why nothing is served yet."""
    return _unavailable(
        current.store_error or StoreError("nothing is served yet", todo="Try again in a moment.")
    )


async def _send(
    send: Send, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]], kind: bytes = JSON
) -> None:
    size = str(len(body)).encode()
    start = [(b"content-type", kind), (b"content-length", size), *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})
