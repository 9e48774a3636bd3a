"""README's table of figures, from the result files and ``readme_figures.yaml``."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Formatter
from typing import Any

import yaml

from benchmarks.readme_marks import between_marks
from benchmarks.result_files import MARK, load_of
from kgrank.errors import InputError

ROWS = Path(__file__).with_name("readme_figures.yaml")
BEGIN = "<!-- figures: written by `python benchmarks/tables.py` from benchmarks/results -->"
END = "<!-- end of figures -->"
NOTE = (
    f"Load: programs that ran or waited to run when the run began, on {{cores}} cores; where it was above half\n"
    f"of them ({MARK}), times are longer than on an idle machine."
)

Results = Mapping[str, Mapping[str, Any]]


class Figures(Formatter):
    """Fields of results in text; numbers below one are written without their zero."""

    def __init__(self, results: Results, of: Sequence[str]) -> None:
        self.of = of
        for name in of:
            if name not in results:
                raise InputError(f"there is no result {name}", where=ROWS.name)
        self.fields: dict[str, Any] = {**results, **_summed([results[name] for name in of])}

    def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:
        """The field of the row's files, or a file."""
        if self.fields.get(str(key)) is None:
            raise InputError(
                f"there is no figure {key} in {' and '.join(self.of)}",
                where=ROWS.name,
                todo="Run the benchmark with the options that give it (docs/run-benchmarks.md), or mend the row",
            )
        return self.fields[str(key)]

    def format_field(self, value: Any, format_spec: str) -> str:
        """The number as it is printed, ``.46`` rather than ``0.46``."""
        return re.sub(r"^(-?)0(?=\.\d)", r"\1", str(super().format_field(value, format_spec)))


def table(results: Results) -> str:
    """What is written between the two marks of README."""
    written = yaml.safe_load(ROWS.read_text(encoding="utf-8"))
    lines = ["| | kgrank | beside it, in the same run | load |", "|---|---|---|---|"]
    cores = set()
    for row in written["rows"]:
        figures = Figures(results, row["of"])
        cells = [figures.format(row.get(column, "")) for column in ("what", "kgrank", "beside")]
        loads = [load for name in row["of"] if (load := load_of(results[name])) is not None]
        cores |= {load.cores for load in loads}
        cells.append(", ".join(f"{load.start} {load.mark}".strip() for load in loads))
        lines.append(f"| {' | '.join(cells)} |".replace("|  |", "| |"))
    below = Figures(results, written["below"]["of"]).format(written["below"]["text"])
    below = textwrap.fill(below, 115, break_on_hyphens=False)
    note = NOTE.format(cores=" or ".join(str(c) for c in sorted(cores)))
    return "\n".join([*lines, "", note, "", below])


def readme(text: str, results: Results) -> str:
    """README with its figures written anew."""
    return between_marks(text, BEGIN, END, table(results), "figures")


def _summed(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The fields of one result, or the sums of what is a number in all of several."""
    if len(results) == 1:
        return dict(results[0])
    return {
        key: sum(result[key] for result in results)
        for key, value in results[0].items()
        if all(isinstance(result.get(key), int | float) for result in results) and not isinstance(value, bool)
    }
