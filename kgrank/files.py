"""Files are written whole or not at all, and are on the disk when the function returns."""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from kgrank.errors import InputError

_REMEDIES = {
    errno.ENOSPC: "Make room on the disk.",
    errno.EDQUOT: "Make room within the quota.",
    errno.EROFS: "Name a file in a folder that may be written to.",
    errno.EACCES: "Name a file in a folder that may be written to.",
    errno.EPERM: "Name a file in a folder that may be written to.",
    errno.EISDIR: "Name a file, not a folder.",
    errno.ENOENT: "Make its folder first.",
    errno.ENOTDIR: "A part of the path is a file, not a folder.",
    errno.EEXIST: "A file has the name of the folder: name another one.",
    errno.ENAMETOOLONG: "Take a shorter name.",
}

_NOT_THERE = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL, errno.EPERM)
"""Errors of systems that have no files without a name."""


def not_writable(path: Path | str, error: OSError) -> InputError:
    """The operating system's error as one of the user's."""
    # polars has the number in its text alone.
    in_text = re.search(r"os error (\d+)", str(error))
    number = error.errno or (int(in_text[1]) if in_text else 0)
    problem = os.strerror(number) if number else str(error)
    return InputError(f"cannot be written ({problem})", where=path, todo=_REMEDIES.get(number))


def write_text(path: Path, text: str, *, private: bool = False) -> None:
    """Writes a UTF-8 text in place of what was there; raises as ``write_file`` does."""
    write_bytes(path, text.encode(), private=private)


def write_bytes(path: Path, data: bytes, *, private: bool = False) -> None:
    """Writes bytes in place of what was there; raises as ``write_file`` does."""
    write_file(path, lambda file: file.write(data), private=private)


def write_file(path: Path, write: Callable[[IO[bytes]], object], *, private: bool = False) -> None:
    """Writes a file in place of what was there: all of it, or the former one stays.

    A link is followed. A new file has the permissions that the umask leaves, and one that was there keeps its own.
    A device or a pipe is written to as it is.

    Args:
        path: The file.
        write: Writes the content to an open file.
        private: Only the owner may read and write it (mode 0600).

    Raises:
        InputError: The file cannot be written.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if target.exists() and not target.is_file():
            with target.open("wb") as device:
                write(device)
            return
        _replace(target, write, private)
    except OSError as error:
        raise not_writable(path, error) from None


def make_folder(path: Path) -> None:
    """Makes a folder, and those above it; one that is there is left as it is.

    Raises:
        InputError: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_writable(path, error) from None


def remove_file(path: Path) -> None:
    """Removes a file; one that is not there is passed over.

    Raises:
        InputError: It cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise not_writable(path, error) from None


@contextmanager
def scratch_folder(beside: Path | None = None) -> Iterator[Path]:
    """A folder for the time of a ``with``: beside a path that its content is to replace, or anywhere.

    Raises:
        InputError: It cannot be made.
    """
    if beside is not None:
        make_folder(beside.absolute().parent)
    try:
        scratch = tempfile.TemporaryDirectory(
            dir=None if beside is None else beside.absolute().parent,
            prefix=None if beside is None else f".{beside.name}.",
        )
    except OSError as error:
        raise not_writable(tempfile.gettempdir() if beside is None else beside, error) from None
    with scratch as folder:
        yield Path(folder)


def sync_folder(folder: Path) -> None:
    """Puts on the disk which files a folder has."""
    # Some file systems have nothing to write of a folder, and say so by an error.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _replace(path: Path, write: Callable[[IO[bytes]], object], private: bool) -> None:
    before = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
    mode = 0o600 if private else before
    unnamed = _unnamed_file(path.parent, 0o600 if private else 0o666)
    if unnamed is not None:
        temporary = _free_name(path)
        with os.fdopen(unnamed, "w+b") as file:
            _fill(file, write, mode)
            # The file gets a name only when it is whole: what is killed before leaves nothing behind.
            _name(file.fileno(), temporary)
    else:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:50]}.", dir=path.parent)
        temporary = Path(name)
        with _removed_on_error(temporary), os.fdopen(handle, "w+b") as file:
            _fill(file, write, _by_umask() if mode is None else mode)
    with _removed_on_error(temporary):
        temporary.replace(path)
    sync_folder(path.parent)


def _unnamed_file(folder: Path, mode: int) -> int | None:
    """A descriptor of a file without a name; None where the system has none."""
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, mode)
    except OSError as error:
        if error.errno in _NOT_THERE and folder.is_dir():
            return None
        raise


def _name(descriptor: int, path: Path) -> None:
    """Gives an unnamed file a name; a descriptor of a folder is what makes Python follow the link."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        source = f"/proc/self/fd/{descriptor}"
        os.link(source, path.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _fill(file: IO[bytes], write: Callable[[IO[bytes]], object], mode: int | None) -> None:
    write(file)
    file.flush()
    if mode is not None:
        os.fchmod(file.fileno(), mode)
    os.fsync(file.fileno())


def _free_name(path: Path) -> Path:
    return path.with_name(f".{path.name[:50]}.{os.getpid()}.{time.monotonic_ns():x}")


def _by_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


@contextmanager
def _removed_on_error(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise
