"""The public data sets by name, and where they are on this machine."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl
import yaml

from kgrank.codec import decode
from kgrank.errors import InputError

DATA_SETS = Path(__file__).with_name("data_sets.yaml")
VARIABLE = "KGRANK_DATA"
"""The environment variable that names the folder with one folder for each data set."""


@dataclass(frozen=True)
class Source:
    """Where a data set is published, and which files of it are used.

    Attributes:
        get: What to download.
        files: SHA-256 by path inside it; a pattern names several files, which are hashed one after another.
    """

    name: str
    version: str
    get: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class DataSet:
    """A public data set.

    Attributes:
        files: The files that are read here, with their SHA-256; where there are several, any is right.
    """

    about: str
    licence: str
    sources: tuple[Source, ...]
    files: Mapping[str, tuple[str, ...]]
    cite: str = ""
    note: str = ""


@cache
def data_sets() -> Mapping[str, DataSet]:
    """All data sets by name."""
    entries = yaml.safe_load(DATA_SETS.read_text(encoding="utf-8"))
    return {name: decode(DataSet, entry) for name, entry in entries.items()}


def data_set(name: str) -> DataSet:
    """The data set of a name.

    Raises:
        InputError: There is none; the error lists the names.
    """
    known = data_sets()
    if name not in known:
        raise InputError(f"there is no data set {name!r}", expected=f"one of {', '.join(known)}")
    return known[name]


def data_root() -> Path | None:
    """The folder that KGRANK_DATA names, or None where it is not set."""
    root = os.environ.get(VARIABLE)
    return Path(root).expanduser().resolve() if root else None


def is_there(name: str) -> bool:
    """Whether the folder of a data set has all its files."""
    root = data_root()
    return root is not None and not _missing(root / name, data_set(name))


def data_folder(asked: str) -> Path:
    """The folder of a data set.

    Args:
        asked: A folder, or the name of a data set below KGRANK_DATA.

    Raises:
        InputError: It is not there, or a file of a known data set is missing; the error says how to get it.
    """
    given, root = Path(asked).expanduser(), data_root()
    folder = given if given.is_dir() or root is None else root / asked
    name = folder.name
    if not folder.is_dir():
        known = name if name in data_sets() else "NAME"
        where = f"{VARIABLE} is not set" if root is None else f"{VARIABLE} is {root}"
        raise InputError(
            f"the data set {asked} is not there ({where})",
            expected=f"its folder, or its name with {VARIABLE} set",
            todo=f"docs/data.md says where to get it; then: python benchmarks/prepare.py {known} --from FILE",
        )
    if name in data_sets() and (missing := _missing(folder, data_set(name))):
        raise InputError(
            f"{', '.join(missing)} is missing",
            where=folder,
            todo=f"Prepare the set again: python benchmarks/prepare.py {name} --from FILE (docs/data.md)",
        )
    return folder.resolve()


def checksum(name: str, content: bytes) -> str:
    """SHA-256 of a file's content: unpacked if it is packed, and of a Parquet file its table as CSV.

    Packing and Parquet writers differ between versions; what is inside does not.
    """
    if name.endswith(".gz"):
        content = gzip.decompress(content)
    elif name.endswith(".parquet"):
        content = pl.read_parquet(io.BytesIO(content)).write_csv().encode()
    return hashlib.sha256(content).hexdigest()


def _missing(folder: Path, which: DataSet) -> list[str]:
    return [name for name in which.files if not (folder / name).is_file()]
