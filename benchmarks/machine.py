"""What every benchmark shares: its options, the machine and its load, the versions, one table, one JSON line."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from kgrank.errors import KgrankError

RESULTS = Path(__file__).parent / "results"
DATA_HELP = "the data set: its folder, or its name in the folder that KGRANK_DATA names"


def script_parser(
    about: str | None, *, data: str | None = None, needs: str = "none, everything is generated"
) -> argparse.ArgumentParser:
    """A parser that shows the script's own text and the data that it needs.

    Args:
        about: The script's text.
        data: The data set that is read unless ``--data`` names another.
        needs: What is said of the data otherwise.
    """
    parser = argparse.ArgumentParser(
        description=about,
        epilog=f"Data: {data or needs}. How to get data sets: docs/data.md.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if data is not None:
        parser.add_argument("--data", default=data, help=f"{DATA_HELP} ({data})")
    return parser


class Processors:
    """Seconds of all processors since this was made, by this program and by all others."""

    def __init__(self) -> None:
        self.began, self.busy, self.used = time.monotonic(), _busy_seconds(), _used_seconds()

    def others(self) -> float | None:
        """Processors that other programs kept busy on average, or None where the system does not say."""
        busy, seconds = _busy_seconds(), time.monotonic() - self.began
        if busy is None or self.busy is None or seconds <= 0:
            return None
        return round(max(busy - self.busy - (_used_seconds() - self.used), 0.0) / seconds, 1)


def _busy_seconds() -> float | None:
    """Seconds that the processors were not idle since the system started."""
    try:
        ticks = [int(t) for t in Path("/proc/stat").read_text(encoding="ascii").split("\n")[0].split()[1:9]]
    except (OSError, ValueError):
        return None
    user, nice, system, _idle, _waiting, *rest = ticks
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def _used_seconds() -> float:
    """Seconds of this program and of the programs that it has started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


PROCESSORS = Processors()
"""Since the benchmark started, which is when it imports this."""


def environment(*packages: str) -> dict[str, Any]:
    """Processor, cores, memory, versions, and the load at the start."""
    versions: dict[str, str] = {}
    for package in ("kgrank", "numpy", *packages):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "python": platform.python_version(),
        "versions": versions,
        "load": round(os.getloadavg()[0], 1),
    }


def peak_mb() -> float:
    """Peak memory of this process, in megabytes."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """One table."""
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(f"{x:.4f}" if isinstance(x, float) else str(x) for x in row))
    Console(width=130).print(table)


def finish(name: str, line: Mapping[str, Any], details: Mapping[str, Any]) -> None:
    """Writes ``results/NAME.json`` with the load at the end, and prints the line as the last one."""
    RESULTS.mkdir(exist_ok=True)
    loads = {"load_end": round(os.getloadavg()[0], 1), "other_cores": PROCESSORS.others()}
    whole = {**line, **details, "environment": details["environment"] | loads}
    text = json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(json.dumps(line, allow_nan=False))


def command(main: Callable[[], None]) -> None:
    """Runs a benchmark's main function; what a user can mend is one line, and exit code 2."""
    try:
        main()
    except KgrankError as error:
        print(f"error: {error.sentence()}", file=sys.stderr)
        sys.exit(2)
