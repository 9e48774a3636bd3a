"""What every benchmark prints and writes: the machine, the versions, one table, one JSON line."""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from kgrank.errors import KgrankError

RESULTS = Path(__file__).parent / "results"


def environment(*packages: str) -> dict[str, Any]:
    """Processor, cores, memory and versions."""
    found: dict[str, str] = {}
    for package in ("kgrank", "numpy", *packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "python": platform.python_version(),
        "versions": found,
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
    """Writes ``results/NAME.json``, and prints the line as the last one."""
    RESULTS.mkdir(exist_ok=True)
    whole = {**line, **details}
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
