"""TLS of the service: its files, and connections whose handshake is bounded as their headers are."""

from __future__ import annotations

import asyncio
import socket
import ssl
import stat
from asyncio import Protocol
from collections.abc import Callable
from pathlib import Path

from kgrank.errors import InputError

HANDSHAKE = 10.0
"""Seconds for a handshake."""

OTHERS = stat.S_IWGRP | stat.S_IRWXO
"""What nobody may do with the file of a private key; a group may read it, as many systems have it."""


def server_context(certificate: Path, key: Path | None = None, password: str | None = None) -> ssl.SSLContext:
    """What a server needs for TLS 1.2 and 1.3.

    Args:
        certificate: PEM file of its certificate, and of those that lead to a known authority.
        key: PEM file of its private key; None where the certificate's file holds it.
        password: Of the private key.

    Raises:
        InputError: A file cannot be read, others may read the key, or the two do not belong together.
    """
    holder = key or certificate
    for file in dict.fromkeys((certificate, holder)):
        try:
            with file.open("rb"):
                mode = stat.S_IMODE(file.stat().st_mode)
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", where=file) from error
        if file == holder and mode & OTHERS:
            raise InputError(
                f"others may read or change the private key (mode {mode:03o})",
                where=file,
                todo=f"chmod 600 {file}",
            )
    is_asked = False

    def given_password() -> str:
        # Without this, OpenSSL would ask whoever sits at the terminal.
        nonlocal is_asked
        is_asked = True
        return password or ""

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, given_password)
    except (ssl.SSLError, ValueError) as error:
        if is_asked:
            raise InputError(
                "the password of the private key is wrong" if password else "the private key has a password",
                where=holder,
                expected="it in the environment variable KGRANK_TLS_PASSWORD",
            ) from error
        raise InputError(
            f"no certificate with its private key ({getattr(error, 'reason', None) or error})",
            where=certificate if key is None else f"{certificate}, {key}",
            expected="PEM files that belong together",
        ) from error
    return context


class TlsListener:
    """Accepts connections, and ends those whose handshake does not come in time or that are too many.

    ``asyncio`` itself would keep any number of them, for a minute each, before a protocol learnt of them.

    Args:
        bound: A socket that is bound.
        backlog: Connections that the system keeps until they are accepted.
        context: As ``server_context`` makes it.
        protocol: Makes the protocol of a connection, which begins after its handshake.
        most: Handshakes at once; beyond them the oldest are ended.
        refused: Is called with a reason and an address where one is ended.
    """

    def __init__(
        self,
        bound: socket.socket,
        backlog: int,
        context: ssl.SSLContext,
        protocol: Callable[[], Protocol],
        most: int,
        refused: Callable[[str, str | None], None],
    ) -> None:
        self._socket = bound
        self._context = context
        self._protocol = protocol
        self._most = most
        self._refused = refused
        self._waiting: dict[asyncio.Task[None], str] = {}
        bound.setblocking(False)
        bound.listen(backlog)
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    def close(self) -> None:
        """Accepts no more connections."""
        for task in (self._accepting, *self._waiting):
            task.cancel()

    async def wait_closed(self) -> None:
        """Waits until that is so."""
        await asyncio.gather(self._accepting, *self._waiting, return_exceptions=True)
        self._socket.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(self._socket)
            except OSError:
                # The caller is gone already, or there are too many open files for now.
                await asyncio.sleep(0.1)
                continue
            if len(self._waiting) >= self._most:
                oldest = next(iter(self._waiting))
                self._refused("handshakes", self._waiting.pop(oldest))
                oldest.cancel()
            task = loop.create_task(self._begin(connection, address[0]))
            self._waiting[task] = address[0]
            task.add_done_callback(lambda done: self._waiting.pop(done, None))

    async def _begin(self, connection: socket.socket, address: str) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE,
                ssl_shutdown_timeout=HANDSHAKE,
            )
        except OSError:
            # No TLS, too old a version, a caller who is gone or says nothing: ssl.SSLError and TimeoutError too.
            self._refused("handshake", address)
