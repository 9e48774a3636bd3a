"""One run at a time writes into a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kgrank.errors import RunError
from kgrank.files import make_folder, not_writable
from kgrank.locks import HeldError, lock, unlock


@contextmanager
def only_run(folder: Path, kind: str) -> Iterator[None]:
    """Makes a folder, and keeps other runs of the kind out of it until the end.

    Args:
        folder: The folder.
        kind: What runs there, in a word: training, search.

    Raises:
        RunError: Another run is at work in it.
        InputError: It cannot be made or written to.
    """
    make_folder(folder)
    path = folder / "lock"
    try:
        held = lock(path)
    except HeldError as error:
        raise RunError(
            f"another {kind} writes into this folder: {error.holder}",
            where=path,
            todo=f"Wait for {error.short} to end, or name another folder.",
        ) from None
    except OSError as error:
        raise not_writable(path, error) from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        unlock(held)
        # A run that could not begin leaves no folder behind.
        with suppress(OSError):
            folder.rmdir()
