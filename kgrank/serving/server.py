"""The server under the application: uvicorn with the options that the service needs."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

GRACE = 20
"""Seconds that requests in flight have when the service ends."""

IDLE = 30
"""Seconds that a connection is kept without a request."""


def server_of(app: ASGIApp, host: str, port: int, proxies: Sequence[str] = ()) -> uvicorn.Server:
    """The server, ready to run.

    Args:
        app: The application.
        host: Where to listen.
        port: Where to listen; 0 takes a free one.
        proxies: Addresses and networks whose forwarded headers are believed.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        log_level="info",
        ws="none",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=GRACE,
    )
    return uvicorn.Server(config)


def end_on_hangup() -> None:
    """Makes SIGHUP end the process as SIGTERM does, where ``nohup`` has not turned it off."""

    def end(_number: int, _frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGTERM)

    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, end)
