"""API keys: stored as hashes with a role each; a changed file is read again while the service runs."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from kgrank.errors import InputError, did_you_mean

PREFIX = "kg_"
LOOK_AGAIN = 1.0
"""Seconds after which the file's time is looked at again."""


class Role(StrEnum):
    """What a key may do; each may do what those before it may."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def may(self, needed: Role) -> bool:
        """Whether this role is enough."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True)
class Key:
    """A key without its secret, of which the file holds the SHA-256 alone.

    A secret has 256 random bits, so no slow hash is needed against guessing.
    """

    name: str
    role: Role
    sha256: str
    created: str


def hashed(secret: str) -> str:
    """The hash under which a secret is stored."""
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()


def read_keys(file: Path) -> tuple[Key, ...]:
    """The keys of a file; none where there is no file.

    Raises:
        InputError: The file is not what ``kgrank keys add`` writes.
    """
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        keys = tuple(Key(r["name"], Role(r["role"]), r["sha256"], r["created"]) for r in rows)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=file) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            "no file of API keys", where=file, expected="what `kgrank keys add` writes", todo=str(error)
        ) from error
    return keys


def add_key(file: Path, name: str, role: Role) -> str:
    """Makes a key and returns its secret, which is not stored.

    Raises:
        InputError: There is a key of that name.
    """
    keys = read_keys(file)
    if any(key.name == name for key in keys):
        raise InputError(
            f"there is a key {name!r} already", where=file, todo="Take another name, or remove it first."
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    _write(file, (*keys, Key(name, role, hashed(secret), created)))
    return secret


def remove_key(file: Path, name: str) -> None:
    """Takes a key out of the file.

    Raises:
        InputError: There is no key of that name.
    """
    keys = read_keys(file)
    left = tuple(key for key in keys if key.name != name)
    if len(left) == len(keys):
        raise InputError(
            f"there is no key {name!r}", where=file, todo=did_you_mean(name, [k.name for k in keys])
        )
    _write(file, left)


def _write(file: Path, keys: tuple[Key, ...]) -> None:
    """All or nothing, and for the owner alone."""
    text = json.dumps([asdict(key) for key in keys], indent=1) + "\n"
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as new:
        new.write(text)
    Path(name).replace(file)


class KeyRing:
    """The keys of a file, as it is now.

    Args:
        file: Its path.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stamp: tuple[int, int] | None = None
        self._looked = -LOOK_AGAIN
        self._keys: Mapping[str, Key] = {}
        self._refresh()

    def find(self, secret: str) -> Key | None:
        """The key of a secret."""
        if time.monotonic() - self._looked > LOOK_AGAIN:
            self._refresh()
        return self._keys.get(hashed(secret))

    def _refresh(self) -> None:
        self._looked = time.monotonic()
        try:
            status = self._file.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
        except FileNotFoundError:
            stamp = (0, 0)
        if stamp != self._stamp:
            self._keys = {key.sha256: key for key in read_keys(self._file)}
            self._stamp = stamp
