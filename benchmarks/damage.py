"""Random damage of files of items, events and tasks, against an independent reader of each format.

    python benchmarks/damage.py
    python benchmarks/damage.py --count 500 --seed 1000

Bytes, cells, rows or the types of columns are damaged in CSV, JSON, JSON Lines, xlsx and Parquet. Each is refused
with an error that names it; or each of its values is read as the csv module, the json module, openpyxl or polars
reads it, or is named in a note or in the report with its line, and each row is in the shop or in the report. A
fault is a traceback, or a difference that is not named. ``not_compared`` counts packed files that the other reader
refuses, and workbooks with broken XML, whose cells readers place differently: there only a traceback is a fault.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(1, str(Path(__file__).parent.parent / "tests"))

from damage import FORMATS, KINDS, Outcome, cases, outcome

from benchmarks.machine import command, environment, finish, script_parser, show

COLUMNS = ("refused", "noted", "alike", "not_compared", "faults")
SHOWN = 50


def became(result: Outcome) -> str:
    """The column of an outcome."""
    if result.fault:
        return "faults"
    if result.refused:
        return "refused"
    if not result.compared:
        return "not_compared"
    return "noted" if result.noted else "alike"


def main() -> None:
    """Runs the benchmark."""
    parser = script_parser(__doc__)
    parser.add_argument("--count", type=int, default=5000, help="of damaged files (5000)")
    parser.add_argument("--seed", type=int, default=0, help="of the first of each kind (0)")
    options = parser.parse_args()
    about = environment("polars", "python-calamine", "openpyxl", "pyarrow")
    print(json.dumps(about))
    counts: Counter[tuple[str, str, str]] = Counter()
    faults = []
    for case in cases(options.count, options.seed):
        with tempfile.TemporaryDirectory(prefix="kgrank-damage-") as folder:
            result = outcome(case, Path(folder))
        counts[case.format, case.kind, became(result)] += 1
        if result.fault:
            faults.append(
                {"file": case.file, "kind": case.kind, "seed": case.seed, "fault": result.fault[:300]}
            )
    rows = [[f, k, *(counts[f, k, column] for column in COLUMNS)] for f in FORMATS for k in KINDS]
    show("damaged files", ["format", "damage", *COLUMNS], rows)
    for fault in faults[:SHOWN]:
        print(json.dumps(fault, ensure_ascii=False))
    line = {"files": options.count, "seed": options.seed}
    line |= {column: sum(counts[f, k, column] for f in FORMATS for k in KINDS) for column in COLUMNS}
    details = [dict(zip(("format", "damage", *COLUMNS), row, strict=True)) for row in rows]
    finish("damage", line, {"environment": about, "by_kind": details, "faults": faults})


if __name__ == "__main__":
    command(main)
