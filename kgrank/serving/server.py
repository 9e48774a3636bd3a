"""The server under the application: uvicorn with the options that the service needs."""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import socket
from collections.abc import Sequence
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.logging import DefaultFormatter

from kgrank.serving.log import LogHandler, LogWriter
from kgrank.serving.protocol import BoundedProtocol, Bounds
from kgrank.serving.service import Application

GRACE = 20
"""Seconds that requests in flight have when the service ends."""


class Server(uvicorn.Server):
    """A server whose log is on its way when a signal ends the process.

    Args:
        config: Its options.
        log: The log.
    """

    def __init__(self, config: uvicorn.Config, log: LogWriter) -> None:
        super().__init__(config)
        self._log = log

    async def on_tick(self, counter: int) -> bool:
        """Ends connections whose time is over, ten times a second."""
        now = asyncio.get_running_loop().time()
        for connection in list(self.server_state.connections):
            if isinstance(connection, BoundedProtocol):
                connection.sweep(now)
        return await super().on_tick(counter)

    async def _serve(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super()._serve(sockets)
        finally:
            self._log.flush()


def server_of(
    app: Application, host: str, port: int, proxies: Sequence[str] = (), bounds: Bounds | None = None
) -> Server:
    """The server, ready to run.

    Args:
        app: The application.
        host: Where to listen.
        port: Where to listen; 0 takes a free one.
        proxies: Addresses and networks whose forwarded headers are believed.
        bounds: What a caller may cost before its key is read.
    """
    used = bounds or Bounds()
    protocol: Any = partial(BoundedProtocol, service=app.service, bounds=used)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        log_config=None,
        http=protocol,
        ws="none",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        timeout_keep_alive=math.ceil(used.idle_seconds),
        timeout_graceful_shutdown=GRACE,
    )
    return Server(config, app.service.log)


def log_through(writer: LogWriter) -> None:
    """Has the records of the server and of kgrank written by a writer, from information on."""
    handler = LogHandler(writer)
    handler.setFormatter(DefaultFormatter("%(levelprefix)s %(message)s", use_colors=False))
    for name in ("uvicorn", "kgrank"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.handlers = [handler]
        logger.propagate = False


def end_on_hangup() -> None:
    """Makes SIGHUP end the process as SIGTERM does, where ``nohup`` has not turned it off."""

    def end(_number: int, _frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGTERM)

    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, end)
