"""Writes docs/benchmarks.md, docs/data.md and README's figures from the files that hold them.

    python benchmarks/tables.py

docs/benchmarks.md and README's figures come from benchmarks/results, docs/data.md from benchmarks/data_sets.yaml.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import data_page, readme_demo, readme_figures, readme_groceries
from benchmarks.data_sets import data_sets
from benchmarks.machine import command, script_parser
from benchmarks.result_files import MARK, load_of, met, read_bars, read_results

ROOT = Path(__file__).parent.parent
README, PAGE, DATA_PAGE = ROOT / "README.md", ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "data.md"
BESIDE = ("hr10", "ndcg10", "hr10_far", "hr10_rare", "hr10_often", "train_seconds")
"""Figures that are shown of each method of a recommendation benchmark."""
HEAD = f"""# Benchmarks

<!-- Written by `python benchmarks/tables.py` from benchmarks/results and benchmarks/bars.yaml. -->

Every table is copied by `python benchmarks/tables.py` from a file that a script in `benchmarks/` wrote. A figure
below its bar stays here. Logarithms are natural; higher is better for log-likelihoods, hit rates and NDCG.

How to run them: [Run the benchmarks](run-benchmarks.md). Where the data are from: [Public data sets](data.md).

The load is the number of programs that ran or waited to run when a run began. {MARK} marks runs that began with a
load above half of the cores, or beside other programs that kept so many busy: their times are longer than on an
idle machine. Other figures do not depend on the load.
"""


def page(results: Mapping[str, Mapping[str, Any]]) -> str:
    """docs/benchmarks.md."""
    bars = read_bars()
    lines = [HEAD, *summary(results, bars), ""]
    for name, result in results.items():
        lines += ["", f"## {name}", ""]
        if about := result.get("environment"):
            versions = ", ".join(f"{k} {v}" for k, v in about.get("versions", {}).items())
            lines += [f"{about.get('memory_gib')} GiB, Python {about.get('python')}; {versions}."]
        if load := load_of(result):
            lines += ["", f"{MARK} Under load: {load}." if load.heavy else f"Load {load}."]
        lines += [
            "",
            "| figure | value | bar | met |",
            "|---|---|---|---|",
            *rows(result, bars.get(name, {})),
        ]
        lines += [*methods(result), ""]
    return "\n".join(lines)


def summary(results: Mapping[str, Mapping[str, Any]], bars: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """One line for each result: its load, and how many of its bars are met."""
    yield from ("| result | load at the start | bars met |", "|---|---|---|")
    for name, result in results.items():
        load, held = load_of(result), bars.get(name, {})
        busy = "" if load is None else f"{load.start} of {load.cores} cores {load.mark}".strip()
        count = sum(met(float(result[key]), bar) for key, bar in held.items() if result.get(key) is not None)
        yield f"| [{name}](#{name}) | {busy} | {f'{count} of {len(held)}' if held else ''} |"


def rows(result: Mapping[str, Any], bars: Mapping[str, str]) -> Iterator[str]:
    """The plain figures of one result as lines of a table."""
    for key, value in result.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        bar = bars.get(key, "")
        verdict = "" if not bar else "yes" if met(float(value), bar) else "**no**"
        shown = f"{value:.4f}" if isinstance(value, float) else str(value)
        yield f"| {key} | {shown} | {bar} | {verdict} |"


def methods(result: Mapping[str, Any]) -> Iterator[str]:
    """A table of the methods beside ours, where a result has them: one line each."""
    others = {name: value for name, value in result.items() if isinstance(value, dict) and "hr10" in value}
    if others:
        yield from ("", f"| beside it | {' | '.join(BESIDE)} | |", f"|---{'|---' * len(BESIDE)}|---|")
    for name, value in others.items():
        figures = (f"{value[key]:.4f}" if value.get(key) is not None else "" for key in BESIDE)
        yield f"| {name} | {' | '.join(figures)} | {value.get('note', '')} |"


def pages() -> Mapping[Path, str]:
    """What this command writes, by file."""
    results = read_results()
    text = readme_groceries.readme(README.read_text(encoding="utf-8"), results)
    text = readme_demo.readme(text, results)
    return {
        README: readme_figures.readme(text, results),
        PAGE: page(results),
        DATA_PAGE: data_page.page(data_sets()),
    }


def main() -> None:
    """Writes the three files."""
    script_parser(__doc__, needs="none").parse_args()
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    command(main)
