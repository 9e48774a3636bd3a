"""Vectors on the disk: by what the text is and by which model, in one byte a number, none computed twice."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kgrank.arrays import Floats32
from kgrank.documents import load_json
from kgrank.errors import InputError
from kgrank.files import make_folder, write_bytes
from kgrank.language.direct import DirectEncoder, Report, unit_length

PART = 1024
"""Texts that are computed between two writes: what a cut-off run loses at most."""

MOST_PARTS = 64
"""Files of a model at most; more of them are made one."""

_KEY = 16
_MAGIC = b"kgrank vectors 1\n"
_log = logging.getLogger(__name__)

Bytes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Rows:
    """Vectors as they are stored.

    Attributes:
        keys: A hash of each text.
        scales: (texts,): what the largest of 127 stands for.
        values: (texts, width).
    """

    keys: tuple[bytes, ...]
    scales: Floats32
    values: Bytes


class CachedEncoder:
    """An encoder that computes what its folder does not have, and keeps it there.

    A file that was cut off or damaged is named in the log and computed anew.

    Args:
        direct: Computes.
        folder: Of all models; each has a folder in it, named by its fingerprint.
        report: Is told of the progress.

    Raises:
        InputError: The folder holds vectors of another width for this model, or cannot be written.
    """

    def __init__(self, direct: DirectEncoder, folder: Path, report: Report | None = None) -> None:
        self.name, self.width, self.fingerprint = direct.name, direct.width, direct.fingerprint
        self._direct, self._report = direct, report
        self._folder = folder / direct.fingerprint
        make_folder(self._folder)
        parts = [rows for path in self._files() if (rows := self._read(path)) is not None]
        self._rows = _joined(parts, self.width)
        self._index = {key: i for i, key in enumerate(self._rows.keys)}
        if len(parts) > MOST_PARTS:
            self._compact()

    def encode(self, texts: Sequence[str]) -> Floats32:
        """The vectors of texts, (texts, width), each of length 1; computed in parts, each of which is kept.

        Raises:
            InputError: The model gives what is no number, or the folder cannot be written.
        """
        keys = [_key(text) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._index}
        left = sorted(missing.items(), key=lambda pair: len(pair[1]))
        for start in range(0, len(left), PART):
            part = left[start : start + PART]
            vectors = self._direct.encode([text for _, text in part])
            self._keep(to_rows([key for key, _ in part], vectors))
            if self._report is not None:
                self._report(f"vectors by {self.name}", start + len(part), len(left))
        at = np.array([self._index[key] for key in keys], dtype=np.int64)
        return unit_length(self._rows.values[at] * self._rows.scales[at, None], self._folder)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.vectors"))

    def _read(self, path: Path) -> Rows | None:
        rows = read_rows(path)
        if rows is None:
            _log.warning("%s is cut off or damaged: its texts are computed again", path)
            return None
        if rows.values.shape[1] != self.width:
            raise InputError(
                f"vectors of {rows.values.shape[1]} numbers",
                where=path,
                expected=f"{self.width}, as {self.name} gives",
                todo="Name another folder, or delete this one.",
            )
        return rows

    def _keep(self, rows: Rows) -> None:
        self._write(rows)
        self._rows = _joined([self._rows, rows], self.width)
        self._index |= {key: i for i, key in enumerate(self._rows.keys)}

    def _write(self, rows: Rows) -> Path:
        content = to_bytes(rows)
        path = self._folder / f"{hashlib.blake2b(content, digest_size=8).hexdigest()}.vectors"
        write_bytes(path, content)
        return path

    def _compact(self) -> None:
        """Makes all files one; what another process has added meanwhile stays."""
        before = [path for path in self._files() if read_rows(path) is not None]
        rows = _joined([rows for path in before if (rows := read_rows(path)) is not None], self.width)
        whole = self._write(rows)
        for path in before:
            if path != whole:
                path.unlink(missing_ok=True)


def to_rows(keys: Sequence[bytes], vectors: Floats32) -> Rows:
    """Vectors rounded to one byte a number, with a scale for each: the largest number becomes 127."""
    scales = np.abs(vectors).max(axis=1) / 127
    values = np.rint(vectors / scales[:, None]).astype(np.int8)
    return Rows(tuple(keys), scales.astype(np.float32), values)


def to_bytes(rows: Rows) -> bytes:
    """The content of a file: a line of JSON with the sizes and a hash, then keys, scales and values."""
    body = b"".join(rows.keys) + rows.scales.tobytes() + rows.values.tobytes()
    texts, width = rows.values.shape
    head = {"texts": texts, "width": width, "hash": hashlib.blake2b(body, digest_size=16).hexdigest()}
    return _MAGIC + json.dumps(head).encode() + b"\n" + body


def read_rows(path: Path) -> Rows | None:
    """The rows of a file; None where it is cut off, damaged or no such file."""
    try:
        content = path.read_bytes()
        magic, head, body = content.split(b"\n", 2)
        sizes = load_json(head.decode())
        texts, width = int(sizes["texts"]), int(sizes["width"])
        right = magic + b"\n" == _MAGIC and hashlib.blake2b(body, digest_size=16).hexdigest() == sizes["hash"]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path) from None
    except (ValueError, KeyError, TypeError):
        return None
    if not right or len(body) != texts * (_KEY + 4 + width):
        return None
    keys = tuple(body[i * _KEY : (i + 1) * _KEY] for i in range(texts))
    scales = np.frombuffer(body, dtype=np.float32, count=texts, offset=texts * _KEY)
    values = np.frombuffer(body, dtype=np.int8, offset=texts * (_KEY + 4)).reshape(texts, width)
    return Rows(keys, scales, values)


def _joined(parts: Sequence[Rows], width: int) -> Rows:
    if not parts:
        return Rows((), np.zeros(0, dtype=np.float32), np.zeros((0, width), dtype=np.int8))
    keys = tuple(key for part in parts for key in part.keys)
    return Rows(keys, np.concatenate([p.scales for p in parts]), np.concatenate([p.values for p in parts]))


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_KEY).digest()
