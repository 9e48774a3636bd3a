"""Addresses and servers that do not fit, and the driver's errors as store errors."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator

from neo4j.exceptions import (
    AuthError,
    ConnectionAcquisitionTimeoutError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
)

from kgrank.errors import AccessError, StoreError

OLDEST = 5
"""The first major version of the server that works."""


def refuse_old_server(agent: str, address: str) -> None:
    """Refuses a server that is no Neo4j, or too old."""
    version = re.match(r"Neo4j/v?(\d+)\.", agent)
    if version is None or int(version[1]) < OLDEST:
        raise StoreError(
            f"the server is {agent}",
            where=address,
            expected=f"Neo4j {OLDEST} or later",
            todo="Upgrade it, or start one with `docker compose up`.",
        )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for member in error.exceptions:
                yield from _causes(member)
        error = error.__cause__ or error.__context__


def may_be_starting(error: BaseException | None) -> bool:
    """Whether waiting can help: not where the name, the port or the encryption is wrong."""
    causes = list(_causes(error))
    return isinstance(error, ServiceUnavailable) and not any(
        isinstance(cause, socket.gaierror | ssl.SSLError) or "looks like HTTP" in str(cause)
        for cause in causes
    )


def store_error(
    error: Neo4jError | DriverError, address: str, database: str | None, timeout: float
) -> StoreError:
    """An error of the server or the driver as a store error."""
    code = getattr(error, "code", None) or ""
    if isinstance(error, AuthError) or code.endswith("AuthenticationRateLimit"):
        return AccessError(
            f"the server refuses user and password ({error.message})",
            where=address,
            todo="Set NEO4J_USER and NEO4J_PASSWORD.",
        )
    if code.endswith("CredentialsExpired"):
        return AccessError(
            "the first password was not changed yet", where=address, todo="Change it in Neo4j's browser."
        )
    if code.endswith("DatabaseNotFound"):
        return AccessError(
            f"no database {database}",
            where=address,
            todo="Name one that exists, in NEO4J_DATABASE or in the address.",
        )
    if code.endswith(("WriteOnReadOnlyAccessDatabase", "ForbiddenOnReadOnlyDatabase")):
        return StoreError(
            "the database is read-only",
            where=address,
            todo="Name another in NEO4J_DATABASE, or let this one be written: server.databases.read_only.",
        )
    if "TransactionTimedOut" in code:
        return StoreError(
            f"the query took more than {timeout:g} s",
            where=address,
            todo="Narrow the query, or raise timeout=.",
        )
    if isinstance(error, Neo4jError):
        return StoreError(_whole(error.message or code), where=address)
    return _unreachable(error, address)


def _unreachable(error: DriverError, address: str) -> StoreError:
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return StoreError("no machine of that name", where=address, todo="Check the address.")
    if any("looks like HTTP" in str(cause) for cause in causes):
        return StoreError(
            "the port speaks HTTP",
            where=address,
            expected="the Bolt port",
            todo="Neo4j's is 7687 by default.",
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return StoreError(
            "no encrypted connection", where=address, todo="Use bolt:// where the server has no certificate."
        )
    if isinstance(error, ServiceUnavailable | SessionExpired | ConnectionAcquisitionTimeoutError):
        return StoreError(
            "no server answers",
            where=address,
            expected="a running Neo4j",
            todo="Check the address, or start one with `docker compose up`.",
        )
    return StoreError(_whole(str(error)), where=address)


def _whole(message: str) -> str:
    """All lines of a message as one: the reason is often in the last of them."""
    return " ".join(message.split()).rstrip(".")
