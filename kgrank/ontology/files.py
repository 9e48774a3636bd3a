"""Files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile

from kgrank.errors import InputError


def write_text(path: Path, text: str) -> None:
    """Writes a UTF-8 text in place of what was there.

    Raises:
        InputError: The file cannot be written.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file in place of what was there.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            file.write(data)
        mode = path.stat().st_mode if path.exists() else 0o644
        Path(file.name).chmod(mode & 0o777)
        Path(file.name).replace(path)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=path) from None
