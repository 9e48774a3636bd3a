"""Files near an embedded store that still name somebody, or hold counts of weights."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from kgrank.ingest.rows import ANONYMOUS

MOST_FILES = 10_000
"""Files and folders that are looked at at most."""

TEXTS = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".log", ".yaml", ".ttl", ".html"}
PACKED = {".parquet", ".xlsx", ".gz", ".zip", ".bz2", ".xz"}
BETWEEN = re.compile(r"[\s,;|\"'{}\[\]():=<>]+")
"""What is between two words of a table or a document; ids that have it themselves are looked for as they are."""

WEIGHTS = ("weights.json", "transitions.parquet", "*network.json")


@dataclass(frozen=True)
class NearFiles:
    """Files in the folder of a store and below.

    Attributes:
        naming: Those that name one of the users.
        packed: Those that cannot be searched as they are packed.
        weights: Those of trainings, with counts.
    """

    naming: tuple[Path, ...] = ()
    packed: tuple[Path, ...] = ()
    weights: tuple[Path, ...] = ()


def near_files(store: Path, users: Collection[str]) -> NearFiles:
    """Looks through the texts in the folder of a store and below."""
    # A log has the id of a visit without the prefix that it gets as a user.
    users = {*users, *(visit for user in users if (visit := user.partition(ANONYMOUS)[2]))}
    files = sorted(p for p in islice(store.resolve().parent.rglob("*"), MOST_FILES) if p.is_file())
    return NearFiles(
        naming=tuple(p for p in files if p.suffix.lower() in TEXTS and _names(p, users)),
        packed=tuple(p for p in files if p.suffix.lower() in PACKED and not _of_weights(p)),
        weights=tuple(p for p in files if _of_weights(p)),
    )


def _of_weights(path: Path) -> bool:
    """Whether a file is one of a training."""
    return any(path.match(pattern) for pattern in WEIGHTS)


def _names(path: Path, users: Collection[str]) -> bool:
    """Whether a text has one of the ids as a cell, a string or a word."""
    plain = {user for user in users if not BETWEEN.search(user)}
    others = [user for user in users if user not in plain]
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return any(
                not plain.isdisjoint(BETWEEN.split(line)) or any(user in line for user in others)
                for line in file
            )
    except OSError:
        return False
