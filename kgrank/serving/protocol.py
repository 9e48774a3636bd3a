"""HTTP/1.1 with bounds on what a caller costs before its key is read: heads, their time, connections, upgrades."""

from __future__ import annotations

from asyncio import BaseTransport
from dataclasses import dataclass
from typing import Any

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from kgrank.serving.service import Service

LINGER, LINGER_BYTES = 1.0, 1 << 20
"""Seconds and bytes that a refused caller may still send: closed at once, many would not see the answer."""

AHEAD = 32
"""Requests that a caller may send on a connection before the answer to the first."""

ROOM = 64
"""Idle connections that are closed together where there are too many."""

_UPGRADE = (b"connection", b"upgrade", b"http2-settings")


@dataclass(frozen=True)
class Bounds:
    """What a caller may cost before its key is read.

    Attributes:
        head_bytes: Of the request line and the headers; as many of what comes between and behind the chunks of a
            body.
        head_lines: Number of headers.
        head_seconds: From the first byte, or from the connection, until the headers are complete.
        body_seconds: Until the body is complete.
        idle_seconds: Between two requests of a connection.
        connections: Open at once; beyond them those that have been idle longest are closed.
    """

    head_bytes: int = 32_768
    head_lines: int = 100
    head_seconds: float = 10.0
    body_seconds: float = 10.0
    idle_seconds: float = 30.0
    connections: int = 4096


class _RefusedError(Exception):
    """Ends the parsing of a request that has been refused."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection.

    Args:
        service: Counts and logs what is refused.
        bounds: What a caller may cost.
        options: uvicorn's own.

    What a connection does is read from uvicorn's state ten times a second, so that no request pays for it.

    Attributes:
        since: When it was first seen to do what it does now.
    """

    def __init__(self, *, service: Service, bounds: Bounds, **options: Any) -> None:
        super().__init__(**options)
        self._service = service
        self._bounds = bounds
        self._received = 0
        self._counted: object = None
        self._is_refused = False
        self._doing: tuple[str, object] = ("head", None)
        self.since = self.loop.time()

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def is_reading_head(self) -> bool:
        """Whether the headers of a request are expected, or have begun."""
        return self.cycle is None or self.cycle.scope is not self.scope

    def connection_made(self, transport: BaseTransport) -> None:
        """Closes those that have been idle longest where there are too many connections."""
        super().connection_made(transport)  # type: ignore[arg-type]
        if len(self.connections) <= self._bounds.connections:
            return
        others = [c for c in self.connections if isinstance(c, BoundedProtocol) and c is not self]
        idle = sorted((c for c in others if not c.is_busy), key=lambda c: c.since)
        for connection in idle[:ROOM]:
            connection.give_up("connections", "others wait for a connection")
        if not idle:
            self.refuse(429, "connections", "too many connections", b"retry-after: 2\r\n")

    def data_received(self, data: bytes) -> None:
        """Parses what came, and refuses it where it is too much or no HTTP."""
        if self._is_refused:
            self._received += len(data)
            if self._received > LINGER_BYTES:
                self.transport.abort()
            return
        self._unset_keepalive_if_required()
        self._received += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("this is no HTTP/1.1 request")
        if self._received > self._bounds.head_bytes:
            self._check_size()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keeps a header."""
        # As uvicorn does it, without another call for each header of each request.
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))
        if len(self.headers) > self._bounds.head_lines:
            self._refuse_head()
            raise _RefusedError

    def on_headers_complete(self) -> None:
        """The head is complete, and answered where it is within its bounds."""
        is_doubtful = self._received > self._bounds.head_bytes or self._counted is self.scope
        if is_doubtful and self._head_is_too_large():
            self._refuse_head()
            raise _RefusedError
        self._received = 0
        if not self.url.startswith(b"/") and self._names_another_host():
            self.refuse(400, "host", "the target names another host than the Host header")
            raise _RefusedError
        super().on_headers_complete()
        if not self.parser.should_upgrade():
            # What follows the body must not be taken for a header of the request.
            self.headers = []
        if self.pipeline and len(self.pipeline) > AHEAD:
            self.refuse(429, "pipeline", "too many requests before an answer")
            raise _RefusedError

    def on_body(self, body: bytes) -> None:
        """A part of the body; what is no body is counted from here on."""
        self._received = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP."""
        self.refuse(400, "http", msg)

    def sweep(self, now: float) -> None:
        """Ends the connection where its time is over."""
        if self._is_refused:
            return
        doing = self._activity()
        if doing[0] != self._doing[0] or doing[1] is not self._doing[1]:
            self._doing, self.since = doing, now
            return
        seconds = now - self.since
        if doing[0] == "head" and seconds > self._bounds.head_seconds:
            self.refuse(408, "head-time", "the headers did not come in time")
        elif doing[0] == "body" and seconds > self._bounds.body_seconds:
            self.refuse(408, "body-time", "the body did not come in time")
        elif doing[0] == "idle" and seconds > self._bounds.idle_seconds:
            self.give_up("idle", "no request came in time")

    def give_up(self, reason: str, problem: str) -> None:
        """Closes an idle connection, with an answer where a request had been expected or begun."""
        if self.is_reading_head:
            self.refuse(408, reason, problem)
        elif self.transport.get_write_buffer_size():
            # Its caller does not read: it would never be empty.
            self.transport.abort()
        else:
            self.transport.close()
        self.connections.discard(self)

    def refuse(self, status: int, reason: str, problem: str, headers: bytes = b"") -> None:
        """Answers with an error, counts it, and closes the connection."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._received = 0
        self._service.refuse(reason, self.client[0] if self.client else None)
        self._unset_keepalive_if_required()
        if self.is_busy:
            if self.pipeline or self.cycle.response_started:
                # An answer to an earlier request is on its way, and would be mixed with this one.
                self.transport.close()
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        body = msgspec.json.encode({"error": {"found": problem, "todo": None}})
        head = (
            b"content-type: application/json\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n"
            b"connection: close\r\ncontent-length: %d\r\n" % len(body)
        )
        self.transport.write(b"".join([STATUS_LINE[status], head, headers, b"\r\n", body]))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER, self.transport.abort)

    def _refuse_head(self) -> None:
        bounds = self._bounds
        self.refuse(
            431,
            "head",
            f"the headers are more than {bounds.head_bytes:,} bytes or {bounds.head_lines} lines",
        )

    def _activity(self) -> tuple[str, object]:
        """What the connection does, and the request with which it does it."""
        if self.cycle is not None and not self.cycle.response_complete:
            is_body = self.cycle.more_body and not self.pipeline
            return ("body" if is_body else "answer"), self.cycle
        return ("head", self.scope) if self.is_reading_head else ("idle", self.cycle)

    def _check_size(self) -> None:
        """Refuses a head, or trailers and extensions of chunks, that do not end."""
        if self.is_reading_head:
            if self._counted is not self.scope:
                # What came before belonged to the body of the request before.
                self._counted, self._received = self.scope, 0
            elif self._received > self._bounds.head_bytes:
                self._refuse_head()
        elif self.is_busy:
            self._refuse_head()
        else:
            # The request has been answered already.
            self.transport.close()

    def _head_is_too_large(self) -> bool:
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        return size > self._bounds.head_bytes

    def _names_another_host(self) -> bool:
        """Whether an absolute target, as sent to a proxy, disagrees with the Host header."""
        _, mark, rest = self.url.partition(b"://")
        authority = rest.partition(b"/")[0].partition(b"?")[0]
        hosts = [value for name, value in self.headers if name == b"host"]
        return bool(mark) and hosts != [authority]

    def _should_upgrade(self) -> bool:
        return self._get_upgrade() is not None

    def _decline_upgrade(self, rest: bytes) -> None:
        """Refuses a WebSocket; a request that offers another protocol is answered in this one."""
        if self._get_upgrade() == b"websocket":
            self.refuse(400, "websocket", "there are no WebSockets here")
            return
        lines = [b"%s %s HTTP/1.1" % (self.scope["method"].encode(), self.url)]
        lines += [name + b": " + value for name, value in self.headers if name not in _UPGRADE]
        # The parser has stopped at the upgrade for good.
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join([*lines, b"", b""]) + rest)
