"""Result files as values: their figures, what each is held to, and the load of the machine that gave them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

RESULTS = Path(__file__).parent / "results"
BARS = Path(__file__).with_name("bars.yaml")
BUSY = 0.5
"""A run is under load where more than this share of the processors was busy with other work."""
MARGINS = {"≥": 1.0, "≤": -1.0}
MARK = "⚠"


@dataclass(frozen=True)
class Load:
    """How busy the machine was.

    Attributes:
        start: Load average of one minute when the run began: programs that run or wait to run.
        end: The same at its end, this run's own part included; None in files of before it was measured.
        others: Processors that other programs kept busy on average; None likewise.
    """

    cores: int
    start: float
    end: float | None = None
    others: float | None = None

    @property
    def heavy(self) -> bool:
        """Whether times of this run are longer than those of an idle machine."""
        return max(self.start, self.others or 0.0) > BUSY * self.cores

    @property
    def mark(self) -> str:
        """The warning mark, or nothing."""
        return MARK if self.heavy else ""

    def __str__(self) -> str:
        parts = [f"{self.start} of {self.cores} cores at the start"]
        parts += [] if self.end is None else [f"{self.end} at the end"]
        parts += [] if self.others is None else [f"other programs kept {self.others} cores busy"]
        return ", ".join(parts)


def read_results(folder: Path = RESULTS) -> Mapping[str, Mapping[str, Any]]:
    """All results by name; kill tests get their number of kills, which older files have by kind of work only."""
    results = {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in sorted(folder.glob("*.json"))}
    for name, result in results.items():
        if name.startswith("kills"):
            result.setdefault("killed", sum(v for k, v in result.items() if k.endswith("_killed")))
    return results


def load_of(result: Mapping[str, Any]) -> Load | None:
    """The load of a result, or None where the file says nothing of it."""
    about = result.get("environment", {})
    if about.get("load") is None or about.get("cores") is None:
        return None
    return Load(about["cores"], about["load"], about.get("load_end"), about.get("other_cores"))


def read_bars() -> Mapping[str, Mapping[str, str]]:
    """What figures are held to, by result and name."""
    bars: Mapping[str, Mapping[str, str]] = yaml.safe_load(BARS.read_text(encoding="utf-8"))
    return bars


def met(value: float, bar: str) -> bool:
    """Whether a figure meets its bar: ``≥ 1``, ``≤ 1``, ``1``, or ``1 to 2``."""
    least, between, most = bar.partition(" to ")
    if between:
        return float(least) <= value <= float(most)
    sign, _, number = bar.partition(" ")
    if not number:
        return value == float(sign)
    return MARGINS[sign] * (value - float(number)) >= 0
