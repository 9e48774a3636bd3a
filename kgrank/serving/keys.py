"""API keys: stored as hashes with a role each; a changed file is read again while the service runs."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path

from kgrank.documents import load_json
from kgrank.errors import InputError, did_you_mean
from kgrank.files import write_text

PREFIX = "kg_"
LOOK_AGAIN = 1.0
"""Seconds after which the file's time is looked at again."""


_log = logging.getLogger(__name__)


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

    Attributes:
        name: Whose key it is.
        role: What it may do.
        sha256: Hash of the secret.
        created: When it was made.
        expires: The last day on which it is valid, in UTC; None for a key without an end.
    """

    name: str
    role: Role
    sha256: str
    created: str
    expires: str | None = None

    def expired(self, today: date | None = None) -> bool:
        """Whether its last day is over."""
        return self.expires is not None and self.expires < (today or datetime.now(UTC).date()).isoformat()


def hashed(secret: str) -> str:
    """The hash under which a secret is stored."""
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()


def read_keys(file: Path) -> tuple[Key, ...]:
    """The keys of a file; none where there is no file.

    Raises:
        InputError: The file is not what ``kgrank keys add`` writes, or others may read or write it.
    """
    try:
        with file.open(encoding="utf-8") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            text = opened.read()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({getattr(error, 'strerror', error)})", where=file) from error
    if mode & 0o077:
        raise InputError(
            f"others may read or write the keys (mode {mode:03o})", where=file, todo=f"chmod 600 {file}"
        )
    try:
        keys = tuple(_key(row) for row in load_json(text))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            "no file of API keys", where=file, expected="what `kgrank keys add` writes", todo=str(error)
        ) from error
    return keys


def _key(row: Mapping[str, str]) -> Key:
    expires = row.get("expires")
    last_day = None if expires is None else date.fromisoformat(expires).isoformat()
    return Key(row["name"], Role(row["role"]), row["sha256"], row["created"], last_day)


def add_key(file: Path, name: str, role: Role, expires: date | None = None) -> str:
    """Makes a key and returns its secret, which is not stored.

    Args:
        file: Of the keys; made where there is none.
        name: Whose key it is.
        role: What it may do.
        expires: The last day on which it is valid, in UTC.

    Raises:
        InputError: There is a key of that name, or the day is over.
    """
    if expires is not None and expires < datetime.now(UTC).date():
        raise InputError(f"the day {expires} is over", expected="today or a later day, in UTC")
    with _locked(file):
        keys = read_keys(file)
        if any(key.name == name for key in keys):
            raise InputError(
                f"there is a key {name!r} already", where=file, todo="Take another name, or remove it first."
            )
        secret = PREFIX + secrets.token_urlsafe(32)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        last_day = None if expires is None else expires.isoformat()
        _write(file, (*keys, Key(name, role, hashed(secret), created, last_day)))
    return secret


def remove_key(file: Path, name: str) -> None:
    """Takes a key out of the file.

    Raises:
        InputError: There is no key of that name.
    """
    with _locked(file):
        keys = read_keys(file)
        left = tuple(key for key in keys if key.name != name)
        if len(left) == len(keys):
            raise InputError(
                f"there is no key {name!r}", where=file, todo=did_you_mean(name, [k.name for k in keys])
            )
        _write(file, left)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Keeps other commands from changing the keys of a folder meanwhile: each would undo what the other did.

    The folder itself is locked, since the file is replaced.
    """
    try:
        folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise InputError(f"cannot be opened ({error.strerror})", where=file.parent) from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _write(file: Path, keys: tuple[Key, ...]) -> None:
    """All or nothing, for the owner alone, and on the disk when it returns."""
    rows = [{name: value for name, value in asdict(key).items() if value is not None} for key in keys]
    write_text(file, json.dumps(rows, indent=1) + "\n", private=True)


class KeyRing:
    """The keys of a file, as it is now.

    Args:
        file: Its path.

    Attributes:
        error: Why the file cannot be read now; nobody is let in meanwhile.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stamp: tuple[int, ...] | None = None
        self._looked = -LOOK_AGAIN
        self._keys: Mapping[str, Key] = {}
        self.error: InputError | None = None
        self._refresh()

    def find(self, secret: str) -> Key | None:
        """The key of a secret."""
        if time.monotonic() - self._looked > LOOK_AGAIN:
            self._refresh()
        return self._keys.get(hashed(secret))

    def _refresh(self) -> None:
        self._looked = time.monotonic()
        stamp: tuple[int, ...] = ()
        with suppress(OSError):
            status = self._file.stat()
            stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        if stamp == self._stamp and self.error is None:
            return
        before, self._stamp = self.error, stamp
        try:
            self._keys = {key.sha256: key for key in read_keys(self._file)}
            self.error = None
        except InputError as error:
            # Which keys were taken away is not known, so that none counts.
            self._keys, self.error = {}, error
        if self.error is not None and before is None:
            _log.error("%s. Nobody is let in until the keys can be read.", self.error.sentence())
        elif self.error is None and before is not None:
            _log.warning("%s: the keys can be read again.", self._file)
