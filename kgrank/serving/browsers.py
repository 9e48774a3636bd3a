"""What a service without keys refuses, so that no page of another site asks it through a browser of this machine.

A page may send "simple" requests anywhere without asking first (Fetch standard), so the kind of the body and the
Origin are checked; and its own name may be made to resolve to this machine (DNS rebinding), so the Host is.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from functools import lru_cache

from starlette.types import Scope

from kgrank.errors import InputError
from kgrank.serving.problems import JSON, ProblemError

_ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?")
_PORTS = {"http": "80", "https": "443"}

WITH_KEYS = "Or make keys: kgrank keys add NAME --role read."


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and no other can reach it."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=64)
def _names_loopback(host: bytes) -> bool:
    """Whether a Host header names this machine, with or without a port."""
    name, _, port = host.decode("latin-1").rpartition(":")
    return is_loopback(name if port.isdigit() and name else host.decode("latin-1"))


def origin(text: str) -> str:
    """An origin as browsers name it.

    Raises:
        InputError: It is none, or has more than one.
    """
    parts = _ORIGIN.fullmatch(text.lower())
    if parts is None:
        raise InputError(
            f"the origin {text!r}",
            where="--cors",
            expected="one as https://shop.example or http://localhost:3000",
        )
    scheme, host, port = parts.groups()
    return f"{scheme}://{host}" if port in (None, _PORTS[scheme]) else f"{scheme}://{host}:{port}"


def refused_without_keys(scope: Scope, origins: Collection[bytes] = ()) -> tuple[str, ProblemError] | None:
    """The reason in a word and the answer; None where the request may be answered.

    Args:
        scope: The request.
        origins: Whose pages may ask.
    """
    headers = dict(scope["headers"])
    if len(headers) < len(scope["headers"]) and sum(name == b"host" for name, _ in scope["headers"]) > 1:
        # Another server may read the other one: together they name no machine.
        headers[b"host"] = b""
    host, asking = headers.get(b"host", b""), headers.get(b"origin")
    if not _names_loopback(host):
        todo = f"Ask for http://localhost. {WITH_KEYS}"
        return "host", ProblemError(403, "without keys only the Host of this machine is served", todo)
    if asking is not None and not _is_of(asking.lower(), host.lower(), origins):
        return "origin", ProblemError(403, "a page of another origin may not ask without keys", WITH_KEYS)
    kind = headers.get(b"content-type", b"")
    if kind != JSON and scope["method"] in ("POST", "PUT") and not _is_json(kind):
        return "content-type", ProblemError(
            415, "the body has no type, or another than JSON", "Send Content-Type: application/json."
        )
    return None


def _is_of(origin: bytes, host: bytes, origins: Collection[bytes]) -> bool:
    return origin in (b"http://" + host, b"https://" + host) or origin in origins


def _is_json(kind: bytes) -> bool:
    return kind.partition(b";")[0].strip().lower() == JSON
