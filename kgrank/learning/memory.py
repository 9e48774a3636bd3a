"""Whether a training fits into memory, from counts that are known before it begins."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from kgrank.choice.rules.sampling import DRAWS
from kgrank.errors import RunError

PER_ALTERNATIVE = 120
"""Bytes of an alternative in the choice sets of a category: its arrays, and its row while they are built."""

MATRICES = 10
"""Matrices (columns, columns) of a category: precisions, covariances, information, and the copies of a fit."""

DRAWN = 3
"""Matrices (draws, columns) that are in memory at once while a category without rules is drawn."""

NUMBER = 8
"""Bytes of a number."""


@dataclass(frozen=True)
class TrainingSize:
    """What the memory of a training depends on.

    Attributes:
        choices: Number of choices.
        alternatives: Of all of them, counted in each category above them too.
        columns: By category, the number of its part-worths.
        ruled: Categories to which rules apply; their draws stay in memory.
    """

    choices: int
    alternatives: int
    columns: Mapping[str, int]
    ruled: Collection[str]

    @property
    def peak(self) -> int:
        """Bytes at the peak, beside the graph; rather too few than too many."""
        widest = max(self.columns.values(), default=0)
        drawn = DRAWN * widest + sum(self.columns[c] for c in self.ruled)
        matrices = MATRICES * sum(width**2 for width in self.columns.values())
        return PER_ALTERNATIVE * self.alternatives + NUMBER * (matrices + DRAWS * drawn)


def require_memory(size: TrainingSize, available: int | None) -> None:
    """Refuses a training that cannot fit.

    Args:
        size: Of the training.
        available: Free bytes; None where they are not known.

    Raises:
        RunError: Its peak is above what is free.
    """
    if available is None or size.peak <= available:
        return
    widest = max(size.columns, key=lambda category: size.columns[category])
    raise RunError(
        f"this training needs about {_gigabytes(size.peak)} of memory beside the graph, and "
        f"{_gigabytes(available)} are free",
        where=f"{size.choices:,} choices, {size.alternatives:,} alternatives over all levels of "
        f"{len(size.columns):,} categories; {size.columns[widest]:,} part-worths in {widest}",
        expected="a training that fits into memory",
        todo="Leave attributes with very many values out of the ontology, or old events out (data.until), or "
        "train where there is more memory.",
    )


def available_memory() -> int | None:
    """Free bytes of this machine, or of the container that limits this process; None where nothing says."""
    free = [n for n in (_free_of_machine(), _free_of_container(Path("/sys/fs/cgroup"))) if n is not None]
    return min(free, default=None)


def _free_of_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return _physical()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _physical() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _free_of_container(folder: Path) -> int | None:
    """What a control group (version 2) leaves; files that it has cached count as free."""
    try:
        limit, used = (
            (folder / name).read_text(encoding="ascii") for name in ("memory.max", "memory.current")
        )
        statistics = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    if limit.strip() == "max":
        return None
    cached = next((int(line.split()[1]) for line in statistics if line.startswith("inactive_file ")), 0)
    return max(int(limit) - int(used) + cached, 0)


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"
