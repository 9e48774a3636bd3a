"""Writes docs/benchmarks.md from the files in benchmarks/results.

python benchmarks/tables.py
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"

BARS: Mapping[str, Mapping[str, str]] = {
    "importance-choice_camera": {
        "l1_reference": "≤ .005",
        "top1_population": "≥ .455",
        "top1_person": "≥ .69",
        "loglik_person": "≥ -.80",
        "seed_spread": "≤ .005",
        "person_seconds": "≤ 15",
    },
    "recommend-amazon_beauty-published": {
        "hr10": "≥ .0950",
        "ndcg10": "≥ .0590",
        "attributes_add_hr10": "≥ .004",
        "attributes_add_hr10_often": "≥ 0",
        "far_above_transitions_hr10": "≥ 0",
        "train_seconds": "≤ 900",
        "peak_mb": "≤ 4096",
    },
    "recommend-amazon_beauty-refit": {"hr10": "≥ .1080", "ndcg10": "≥ .0670"},
    "exposure-generated": {"l1_corrected": "≤ .1", "l1_given": "≤ .1"},
    "coverage": {"coverage": ".93 to .97", "coverage_part_worths": ".93 to .97"},
    "seeds-demo": {"thin_seed_spread_in_errors": "≤ .25"},
    "ontology": {
        "check_seconds": "≤ 5",
        "recheck_file_seconds": "≤ 0.3",
        "recheck_category_seconds": "≤ 0.02",
        "diff_seconds": "≤ 5",
        "links": "38560",
        "xlsx_export_seconds": "≤ 30",
        "xlsx_import_seconds": "≤ 30",
        "peak_mb": "≤ 1024",
    },
    "rule-everywhere": {
        "wrong_probability": "≤ .01",
        "wrong_excess_cost": "≤ 0",
        "wrong_excess_l1": "≤ 0",
        "wrong_categories_above_alone": "0",
        "many_rules_finite": "1",
    },
    "query": {
        "ratio_numpy_1k": "≤ 8",
        "ratio_numpy_10k": "≤ 3",
        "ratio_numpy_100k": "≤ 1.5",
        "ratio_session_1k": "≤ 1.3",
        "ratio_session_10k": "≤ 1.3",
        "ratio_session_100k": "≤ 1.3",
        "times_faster_duckdb": "≥ 10",
        "times_faster_sqlite": "≥ 10",
        "session_update_us": "≤ 250",
        "session_off_optimum": "≤ .001",
        "session_same_first_20": "1",
        "beauty_session_adds": "≥ .001",
    },
    "transfer-demo": {
        "cold_graph_over_hierarchy_low": "≥ 0",
        "thin_graph_over_hierarchy_low": "≥ 0",
        "cold_graph_over_shuffled_low": "≥ 0",
        "unseen_graph_over_shuffled_low": "≥ 0",
    },
    "transfer-choice_scanner": {
        "cold_graph_over_hierarchy_low": "≥ 0",
        "thin_graph_over_hierarchy_low": "≥ 0",
        "cold_graph_over_shuffled_low": "≥ 0",
        "unseen_graph_over_shuffled_low": "≥ 0",
    },
    "stores": {
        "embedded_load_seconds": "≤ 12",
        "embedded_tensors_seconds": "≤ 2",
        "embedded_sync_share": "≤ .05",
        "embedded_rank_p50_ms": "≤ 100",
        "embedded_lookup_p50_ms": "≤ 5",
        "neo4j_edges_per_second": "≥ 12000",
        "neo4j_offline_seconds": "≤ 40",
        "neo4j_tensors_seconds": "≤ 8",
        "neo4j_sync_share": "≤ .05",
        "neo4j_rank_p50_ms": "≤ 44",
        "neo4j_lookup_p50_ms": "≤ 5",
    },
    "serve": {
        "cpu_ratio_bare": "≤ 2",
        "throughput_ratio_bare": "≥ .55",
        "errors": "0",
        "mixed": "0",
        "memory_growth": "≤ .02",
    },
    "kills-embedded": {"lost": "0", "half": "0", "incomplete": "0"},
    "kills-neo4j": {"lost": "0", "half": "0", "incomplete": "0"},
    "kills-server": {"lost": "0", "half": "0", "incomplete": "0"},
    "rules-choice_camera": {
        "l1_5_C": "≤ .235",
        "l1_10_C": "≤ .21",
        "l1_30_C": "≤ .135",
        "gain_5_A": "≥ .025",
        "gain_5_B": "≥ .035",
        "gain_5_C": "≥ .055",
        "gain_10_B": "≥ .005",
        "gain_10_C": "≥ .024",
        "gain_30_C": "≥ .004",
        "gain_10_W": "≥ -.012",
        "gain_30_W": "≥ -.006",
        "gain_100_W": "≥ -.001",
        "gain_30_C'": "≥ -.015",
        "audit_30_wrong": "≥ .45",
        "audit_100_wrong": "≥ .70",
        "audit_332_wrong": "≥ .92",
        "audit_30_right": "0",
        "audit_100_right": "0",
        "audit_332_right": "0",
    },
}
"""What each figure is held to."""

BESIDE = ("hr10", "ndcg10", "hr10_far", "hr10_rare", "hr10_often", "train_seconds")
"""Figures that are shown of each method of a recommendation benchmark."""

MARGINS = {"≥": 1.0, "≤": -1.0}


def met(value: float, bar: str) -> bool:
    """Whether a figure meets its bar: ``≥ 1``, ``≤ 1``, ``1``, or ``1 to 2``."""
    least, between, most = bar.partition(" to ")
    if between:
        return float(least) <= value <= float(most)
    sign, _, number = bar.partition(" ")
    if not number:
        return value == float(sign)
    return MARGINS[sign] * (value - float(number)) >= 0


def rows(name: str, result: Mapping[str, Any]) -> Iterable[str]:
    """The plain figures of one result as lines of a table."""
    bars = BARS.get(name, {})
    for key, value in result.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        bar = bars.get(key, "")
        verdict = "" if not bar else "yes" if met(float(value), bar) else "**no**"
        shown = f"{value:.4f}" if isinstance(value, float) else str(value)
        yield f"| {key} | {shown} | {bar} | {verdict} |"


def methods(result: Mapping[str, Any]) -> Iterable[str]:
    """A table of the methods beside ours, where a result names some: one line each."""
    found = {name: value for name, value in result.items() if isinstance(value, dict) and "hr10" in value}
    if found:
        yield from ("", f"| beside it | {' | '.join(BESIDE)} | |", f"|---{'|---' * len(BESIDE)}|---|")
    for name, value in found.items():
        figures = (f"{value[key]:.4f}" if value.get(key) is not None else "" for key in BESIDE)
        yield f"| {name} | {' | '.join(figures)} | {value.get('note', '')} |"


def page() -> str:
    """The whole page."""
    parts = [
        "# Benchmarks\n\nEvery table is copied by `python benchmarks/tables.py` from a file that a script in "
        "`benchmarks/` wrote. A figure below its bar stays here. Logarithms are natural; higher is better for "
        "log-likelihoods, hit rates and NDCG.\n"
    ]
    for path in sorted(RESULTS.glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        about = result.get("environment", {})
        parts.append(f"\n## {path.stem}\n")
        if about:
            versions = ", ".join(f"{k} {v}" for k, v in about.get("versions", {}).items())
            parts.append(
                f"{about.get('cores')} cores, {about.get('memory_gib')} GiB, Python {about.get('python')}, "
                f"load {about.get('load')} at the start; {versions}.\n"
            )
        parts += ["| figure | value | bar | met |", "|---|---|---|---|", *rows(path.stem, result)]
        parts += [*methods(result), ""]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE}")
