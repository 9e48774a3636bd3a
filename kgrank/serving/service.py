"""The ASGI application: keys, limits, typed messages, errors, metrics and logs around the endpoints."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import time
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kgrank.errors import InputError, StoreError, WeightsError
from kgrank.ranking.answers import Health
from kgrank.serving.browsers import refused_without_keys
from kgrank.serving.current import Current
from kgrank.serving.endpoints import ENDPOINTS, Endpoint, Request
from kgrank.serving.keys import KeyRing
from kgrank.serving.limits import Limiter
from kgrank.serving.log import LogWriter
from kgrank.serving.messages import MAX_BODY, shortened, unknown_field_hint
from kgrank.serving.openapi import OPEN, document
from kgrank.serving.problems import (
    ALWAYS,
    Headers,
    ProblemError,
    problem_of,
    send_answer,
    send_problem,
    unavailable,
    without_address,
)
from kgrank.serving.reference import POLICY, page
from kgrank.serving.sessions import SessionBook
from kgrank.serving.work import Workers

DOCS = "/docs"
DOCS_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
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
        refresh_seconds: Seconds between reads of what the store serves.
        shared_sessions: Whether the sessions that one key made are open to the others.
        root_path: The path under which a proxy offers the service, without a slash at its end; paths with and
            without it are answered.
        origins: Whose pages may ask, beside those of the service itself.
        log: Whether each request is a line of JSON on standard error.
    """

    rate: float = 200.0
    burst: float = 400.0
    largest: int = MAX_BODY
    refresh_seconds: float = 2.0
    shared_sessions: bool = False
    root_path: str = ""
    origins: tuple[str, ...] = ()
    log: bool = True


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
        self.workers = Workers()
        self.limiter = Limiter(settings.rate, settings.burst)
        self.salt = secrets.token_bytes(16)
        self._logged: str | None = None
        self.registry = CollectorRegistry()
        self.requests = Counter("kgrank_requests", "Requests", ["path", "status"], registry=self.registry)
        self.seconds = Histogram("kgrank_seconds", "Seconds of a request", ["path"], registry=self.registry)
        self.refused = Counter(
            "kgrank_refused", "Requests refused before their key was read", ["reason"], registry=self.registry
        )
        self.log = LogWriter(
            Counter(
                "kgrank_log_dropped", "Lines of the log that could not be written", registry=self.registry
            )
        )
        self.switches = Counter("kgrank_switches", "Versions and loads taken up", registry=self.registry)
        open_sessions = Gauge("kgrank_sessions", "Sessions in memory", registry=self.registry)
        open_sessions.set_function(lambda: len(self.sessions))
        store_error = Gauge("kgrank_store_error", "1 while the store cannot be read", registry=self.registry)
        store_error.set_function(lambda: current.store_error is not None)

    def refuse(self, reason: str, caller: str | None = None) -> None:
        """Counts a request that is refused before its key is read, and has a line of the log say so."""
        self.refused.labels(reason).inc()
        if self.settings.log:
            line = {"time": round(time.time(), 3), "refused": reason, "caller": caller}
            self.log.write(msgspec.json.encode(line))

    def pseudonym(self, user: str) -> str:
        """A user's name in the log: the same until the service starts again."""
        return hmac.new(self.salt, user.encode("utf-8", "surrogatepass"), sha256).hexdigest()[:16]

    async def refresh(self) -> bool:
        """Reads what the store serves, and logs its error when that changes; whether anything was taken up."""
        looking = asyncio.create_task(asyncio.to_thread(self.current.refresh))
        while not looking.done():
            await asyncio.wait({looking}, timeout=1.0)
            self._log_store_error()
        changed = looking.result()
        if changed:
            # Who was forgotten, or has left, must not live on in a session. A store that does not answer now is
            # read again, and a change noted then.
            with suppress(StoreError):
                self.sessions.end_of(await asyncio.to_thread(self.current.absent, self.sessions.users()))
        return changed

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
        service: What all requests share.
        router: Finds the endpoint of any path.
        direct: Endpoints by path.
        refused: Why a request is not answered at all, and the answer; None where no request is refused so.
    """

    def __init__(
        self,
        service: Service,
        router: Starlette,
        direct: Mapping[str, ASGIApp],
        refused: Callable[[Scope], tuple[str, ProblemError] | None] | None,
    ) -> None:
        self.service = service
        self.router = router
        self.direct = direct
        self.refused = refused
        self.root_path = service.settings.root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the lifespan."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "no WebSockets here"})
            return
        if self.refused is not None and scope["type"] == "http":
            refusal = self.refused(scope)
            if refusal is not None:
                self.service.refuse(refusal[0], (scope.get("client") or (None,))[0])
                await send_problem(send, refusal[1])
                return
        if self.root_path and scope.get("path", "").startswith(f"{self.root_path}/"):
            scope["path"] = scope["path"].removeprefix(self.root_path)
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
        service.workers.close()
        service.log.flush()

    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in ENDPOINTS:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    guarded: dict[str, ASGIApp] = {p: _Guarded(service, p, methods) for p, methods in by_path.items()}
    routes = [Route(path, endpoint) for path, endpoint in guarded.items()]
    routes += [Route(path, _Open(service, path)) for path in (*OPEN, DOCS)]
    router = Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _not_found})
    # A redirect to a path without its last slash would name the host that the caller claims to have asked.
    router.router.redirect_slashes = False
    direct = {path: e for path, e in guarded.items() if "{" not in path}
    refused = partial(refused_without_keys, origins=frozenset(o.encode() for o in service.settings.origins))
    return Application(service, router, direct, refused if keys is None else None)


async def _not_found(request: Any, _: Exception) -> Any:
    found = f"there is no {shortened(request.url.path)}"
    body = ProblemError(404, found, "GET /docs shows all paths.").body
    headers = {name.decode(): value.decode() for name, value in ALWAYS}
    return Response(body, 404, media_type="application/json", headers=headers)


class _Guarded:
    """The endpoints of one path, behind keys and limits."""

    def __init__(self, service: Service, path: str, methods: dict[str, Endpoint]) -> None:
        self.service = service
        self.path = path
        self.methods = methods
        self.decoders = {m: msgspec.json.Decoder(e.takes) for m, e in methods.items() if e.takes is not None}
        self.seconds = service.seconds.labels(path)
        self.fine = service.requests.labels(path, "200")
        self.headers = {m: _deprecation(e, service.settings.root_path) for m, e in methods.items()}

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
        await send_answer(send, status, body, headers)

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
        message = self._decoded(scope, raw)
        log["user"] = getattr(message, "user", None)
        request = Request(
            served=served,
            current=self.service.current,
            sessions=self.service.sessions,
            path=scope["path_params"],
            body=message,
            workers=self.service.workers,
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
            if self.service.keys.error is not None:
                raise ProblemError(503, "the keys cannot be read; the service's log says why", "Ask later.")
            if key is None:
                raise ProblemError(
                    401,
                    "an unknown key" if secret else "no key",
                    "Send Authorization: Bearer KEY; `kgrank keys add` makes one.",
                    [(b"www-authenticate", b"Bearer")],
                )
            if key.expired():
                raise ProblemError(
                    401,
                    f"the key {key.name!r} was valid until {key.expires}",
                    "`kgrank keys add` makes another.",
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
        parts, size, is_more = list[bytes](), 0, True
        while is_more:
            # For how long, the connection bounds.
            event = await receive()
            if event["type"] == "http.disconnect":
                raise ProblemError(408, "the caller left, or its body did not come in time")
            part = event.get("body", b"")
            size += len(part)
            if size > self.service.settings.largest:
                most = f"At most {self.service.settings.largest:,} bytes."
                raise ProblemError(413, "the body is too large", most, [(b"connection", b"close")])
            parts.append(part)
            is_more = event.get("more_body", False)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _decoded(self, scope: Scope, raw: bytes) -> Any:
        method = scope["method"]
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
            unmarked = raw.removeprefix(BOM_UTF8)
            if unmarked is not raw and not unmarked.startswith(BOM_UTF8):
                return self._decoded(scope, unmarked)
            raise _unreadable(scope, raw, error) from None

    async def _handled(self, endpoint: Endpoint, request: Request) -> Any:
        try:
            return await endpoint.handler(request)
        except InputError as error:
            raise problem_of(422, error) from None
        except WeightsError as error:
            raise problem_of(409, error) from None
        except StoreError as error:
            raise unavailable(error) from None

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
        self.service.log.write(msgspec.json.encode(line))


class _Open:
    """The paths that need no key."""

    def __init__(self, service: Service, path: str) -> None:
        self.service = service
        self.path = path
        described = document(ENDPOINTS, service.settings.root_path)
        self.document = msgspec.json.encode(described) if path == "/openapi.json" else b""
        self.page = page(described).encode() if path == DOCS else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await send_answer(send, 405, ProblemError(405, "only GET").body, [(b"allow", b"GET, HEAD")])
            return
        served = self.service.current.served
        if self.path == "/metrics":
            await send_answer(
                send, 200, generate_latest(self.service.registry), [], b"text/plain; version=0.0.4"
            )
        elif self.path == "/openapi.json":
            await send_answer(send, 200, self.document, [])
        elif self.path == DOCS:
            await send_answer(send, 200, self.page, DOCS_HEADERS, b"text/html; charset=utf-8")
        elif self.path == "/health":
            await send_answer(send, 200, msgspec.json.encode(_health(self.service.current)), [])
        elif served is None:
            problem = _unserved(self.service.current)
            await send_answer(send, problem.status, problem.body, problem.headers)
        else:
            await send_answer(send, 200, msgspec.json.encode(_health(self.service.current)), [])


def _unreadable(scope: Scope, raw: bytes, error: Exception) -> ProblemError:
    """A body that is no JSON, or is compressed or in another encoding than UTF-8."""
    headers = dict(scope["headers"])
    todo = "Send JSON in UTF-8, not compressed."
    compression, kind = headers.get(b"content-encoding", b""), headers.get(b"content-type", b"").lower()
    if compression not in (b"", b"identity"):
        name = shortened(compression.decode("latin-1"))
        return ProblemError(415, f"a body in the Content-Encoding {name}", todo)
    charset = kind.partition(b"charset=")[2].strip(b'" ')
    if charset not in (b"", b"utf-8", b"utf8"):
        return ProblemError(415, f"a body in {shortened(charset.decode('latin-1'))}", todo)
    if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return ProblemError(415, "a body in UTF-16", todo)
    return ProblemError(400, f"no JSON: {shortened(str(error))}")


def _health(current: Current) -> Health:
    """What is served, and why the store cannot be read."""
    served, error = current.served, current.store_error
    return Health(
        version=served.version if served else None,
        status="running",
        loaded=served.loaded if served else None,
        store_error=None if error is None else without_address(error).sentence(),
    )


def _deprecation(endpoint: Endpoint, root_path: str) -> Headers:
    """The headers of an endpoint that another one replaces (RFC 9745, RFC 8288)."""
    if endpoint.successor is None:
        return []
    link = f'<{root_path}{endpoint.successor}>; rel="successor-version"'.encode()
    return [(b"deprecation", DEPRECATED), (b"link", link)]


def _unserved(current: Current) -> ProblemError:
    """Why nothing is served yet."""
    return unavailable(
        current.store_error or StoreError("nothing is served yet", todo="Try again in a moment.")
    )
