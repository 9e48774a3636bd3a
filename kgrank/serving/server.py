"""The server under the application: uvicorn with the options that the service needs."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import logging
import math
import re
import signal
import socket
import ssl
from collections.abc import Sequence
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp
from uvicorn.logging import DefaultFormatter

from kgrank.errors import InputError
from kgrank.serving.log import LogHandler, LogWriter
from kgrank.serving.protocol import BoundedProtocol, Bounds
from kgrank.serving.service import Application, Service
from kgrank.serving.tls import TlsListener

_ROOT_PATH = re.compile(r"(/(?!\.\.?(/|$))[A-Za-z0-9._~-]+)+")

GRACE = 20
"""Seconds that requests in flight have when the service ends."""


class Server(uvicorn.Server):
    """A server whose log is on its way when a signal ends the process.

    Args:
        config: Its options.
        service: Counts and logs what is refused.
        tls: With what its connections begin TLS; None where they do not.
        handshakes: So many handshakes at once at most.
    """

    def __init__(
        self, config: uvicorn.Config, service: Service, tls: ssl.SSLContext | None, handshakes: int
    ) -> None:
        super().__init__(config)
        self._service = service
        self._tls = tls
        self._handshakes = handshakes

    async def on_tick(self, counter: int) -> bool:
        """Ends connections whose time is over, ten times a second."""
        now = asyncio.get_running_loop().time()
        for connection in list(self.server_state.connections):
            if isinstance(connection, BoundedProtocol):
                connection.sweep(now)
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens; with TLS on a socket that uvicorn does not know, since it bounds no handshakes."""
        if self._tls is None:
            await super().startup(sockets)
            return
        bound = self.config.bind_socket()
        await super().startup(sockets=[])

        def protocol() -> asyncio.Protocol:
            made: Any = self.config.http_protocol_class
            new: asyncio.Protocol = made(
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )
            return new

        listener: Any = TlsListener(
            bound, self.config.backlog, self._tls, protocol, self._handshakes, self._service.refuse
        )
        self.servers.append(listener)

    async def _serve(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super()._serve(sockets)
        finally:
            self._service.log.flush()


def server_of(
    app: Application,
    host: str,
    port: int,
    proxies: Sequence[str] = (),
    bounds: Bounds | None = None,
    tls: ssl.SSLContext | None = None,
) -> Server:
    """The server, ready to run.

    Args:
        app: The application.
        host: Where to listen.
        port: Where to listen; 0 takes a free one.
        proxies: Addresses and networks whose forwarded headers are believed.
        bounds: What a caller may cost before its key is read.
        tls: With what connections begin TLS; None for plain HTTP.
    """
    used, service = bounds or Bounds(), app.service
    origins = service.settings.origins

    protocol: Any = partial(BoundedProtocol, service=service, bounds=used)
    config = uvicorn.Config(
        across_origins(app, origins) if origins else app,
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        log_config=None,
        http=protocol,
        ws="none",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        ssl_context_factory=None if tls is None else lambda *_: tls,
        timeout_keep_alive=math.ceil(used.idle_seconds),
        timeout_graceful_shutdown=GRACE,
    )
    return Server(config, service, tls, used.connections)


def across_origins(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """The application for the pages of some origins too: what their browsers ask first, and may show them."""
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["Retry-After", "Deprecation", "Link"],
    )


def network(address: str) -> str:
    """The address or network of a proxy.

    Raises:
        InputError: It is none.
    """
    try:
        return str(ipaddress.ip_network(address, strict=False))
    except ValueError:
        raise InputError(
            f"the proxy {address!r}",
            where="--trust-proxy",
            expected="an address or a network, as 10.0.0.7 or 10.0.0.0/24",
        ) from None


def checked_root_path(path: str) -> str:
    """A root path without its last slash.

    Raises:
        InputError: It is none.
    """
    trimmed = path.rstrip("/")
    if trimmed and not _ROOT_PATH.fullmatch(trimmed):
        raise InputError(f"the path {path!r}", where="--root-path", expected="one as /ranker")
    return trimmed


def log_through(writer: LogWriter) -> None:
    """Has the records of the server and of kgrank written by a writer, from information on."""
    handler = LogHandler(writer)
    handler.setFormatter(DefaultFormatter("%(levelprefix)s %(message)s", use_colors=False))
    # A warning of a library would be written by the request, which then waits for a reader that hangs.
    logging.captureWarnings(True)
    for name in ("uvicorn", "kgrank", "py.warnings"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.handlers = [handler]
        logger.propagate = False


def collect_garbage_seldom() -> None:
    """Has Python search for unused cycles after 20,000 new objects, and among old ones only now and then.

    A search among the objects of many sessions stops all callers for tens of milliseconds, and hardly anything in
    the service is part of a cycle: the rest is freed at once, when its last reference goes.
    """
    gc.set_threshold(20_000, 20, 50)


def end_on_hangup() -> None:
    """Makes SIGHUP end the process as SIGTERM does, where ``nohup`` has not turned it off."""

    def end(_number: int, _frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGTERM)

    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, end)
