"""Files near an embedded store that still name somebody, or hold counts of weights."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

MOST_FILES = 10_000
"""Files and folders that are looked at at most."""

TEXTS = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".log", ".yaml", ".ttl", ".html"}
PACKED = {".parquet", ".xlsx", ".gz", ".zip", ".bz2", ".xz"}
WEIGHTS = {"weights.json", "transitions.parquet"}


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
    # Letters and digits beside an id would make it another one.
    alternatives = "|".join(re.escape(user) for user in sorted(users, key=len, reverse=True))
    pattern = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)")
    files = sorted(p for p in islice(store.resolve().parent.rglob("*"), MOST_FILES) if p.is_file())
    return NearFiles(
        naming=tuple(p for p in files if p.suffix.lower() in TEXTS and any(map(pattern.search, _lines(p)))),
        packed=tuple(p for p in files if p.suffix.lower() in PACKED and p.name not in WEIGHTS),
        weights=tuple(p for p in files if p.name in WEIGHTS),
    )


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from file
    except OSError:
        return
