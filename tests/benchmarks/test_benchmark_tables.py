"""The pages show what the result files say, and how busy the machine was."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks import machine, readme_figures, tables
from benchmarks.readme_figures import BEGIN, END
from benchmarks.result_files import MARK, Load, load_of, met, read_bars, read_results
from kgrank.errors import InputError

RESULTS = read_results()
WRITTEN = yaml.safe_load(readme_figures.ROWS.read_text(encoding="utf-8"))


def environment(**load: float) -> dict[str, Any]:
    return {"cores": 2, "memory_gib": 8, "python": "3.11.7", "versions": {"kgrank": "0.1.0"}, **load}


@pytest.mark.parametrize("path", tables.pages(), ids=lambda path: path.name)
def test_the_pages_are_what_the_command_writes(path: Path) -> None:
    """After a run, or a change of what is shown: python benchmarks/tables.py."""
    assert path.read_text(encoding="utf-8") == tables.pages()[path]


def test_a_figure_that_was_edited_by_hand_is_written_anew() -> None:
    text = tables.README.read_text(encoding="utf-8")
    figure = f"{RESULTS['importance-choice_camera']['top1_person']:.3f}".removeprefix("0")
    assert figure in text
    edited = text.replace(figure, ".999")
    assert readme_figures.readme(edited, RESULTS) == text


def test_a_result_that_changes_changes_the_readme() -> None:
    text = tables.README.read_text(encoding="utf-8")
    changed = {**RESULTS, "query": {**RESULTS["query"], "session_update_us": 1234.4}}
    assert "| 1234 |" in readme_figures.readme(text, changed)


def test_no_figure_of_the_readme_is_typed_by_hand() -> None:
    for row in WRITTEN["rows"]:
        for column in ("kgrank", "beside"):
            assert not re.search(r"\d", re.sub(r"\{[^}]*\}|Neo4j", "", row.get(column, ""))), row


@pytest.mark.parametrize("without", [{}, {"session_update_us": None}])
def test_a_figure_that_is_not_there_is_named(without: dict[str, None]) -> None:
    others = {k: v for k, v in RESULTS["query"].items() if k != "session_update_us"}
    with pytest.raises(InputError, match="no figure session_update_us in query"):
        readme_figures.table({**RESULTS, "query": {**others, **without}})


def test_a_readme_without_its_marks_is_refused() -> None:
    with pytest.raises(InputError, match="marks of the figures are gone"):
        readme_figures.readme(f"# A text\n{END}\n{BEGIN}", RESULTS)


def test_numbers_below_one_have_no_zero_in_front() -> None:
    figures = readme_figures.Figures({"a": {"x": -0.5, "y": 10.04, "n": 12345}}, ["a"])
    assert figures.format("{x:.2f} {y:.1f} {n:,} {a[x]:.0f}") == "-.50 10.0 12,345 -0"


def test_figures_of_several_files_are_their_sums() -> None:
    figures = readme_figures.Figures({"a": {"lost": 1}, "b": {"lost": 2}}, ["a", "b"])
    assert figures.format("{lost}: {a[lost]} and {b[lost]}") == "3: 1 and 2"


def test_a_run_under_load_says_so() -> None:
    page = tables.page({"busy": {"seconds": 1.5, "environment": environment(load=1.9)}})
    assert "| [busy](#busy) | 1.9 of 2 cores ⚠ |" in page
    assert "⚠ Under load: 1.9 of 2 cores at the start." in page


def test_a_run_on_an_idle_machine_is_not_marked() -> None:
    load = environment(load=0.3, load_end=1.1, other_cores=0.1)
    page = tables.page({"idle": {"seconds": 1.5, "environment": load}})
    assert "| [idle](#idle) | 0.3 of 2 cores |" in page
    words = "Load 0.3 of 2 cores at the start, 1.1 at the end, other programs kept 0.1 cores busy."
    assert words in page


def test_a_run_beside_others_that_began_later_is_marked() -> None:
    assert Load(2, 0.1, 2.5, 1.4).mark == MARK
    assert Load(2, 0.1, 2.5, 0.4).mark == ""


def test_a_result_without_load_or_environment_still_has_its_table() -> None:
    about = environment()
    page = tables.page({"old": {"seconds": 1.5}, "older": {"seconds": 2.5, "environment": about}})
    assert load_of({"environment": about}) is None
    assert "| [old](#old) |  |  |" in page
    assert "| seconds | 2.5000 |  |  |" in page
    assert MARK not in page.partition("## old")[2]


@pytest.mark.parametrize(
    ("value", "bar", "is_met"),
    [(1, "≥ 1", True), (0.9, "≥ 1", False), (0.1, "≤ .1", True), (0, "0", True), (0.96, ".93 to .97", True)],
)
def test_bars_are_read(value: float, bar: str, is_met: bool) -> None:
    assert met(value, bar) is is_met


def test_every_bar_is_of_a_figure_that_is_there() -> None:
    for name, bars in read_bars().items():
        assert set(bars) <= set(RESULTS[name]), name


def test_a_benchmark_keeps_the_load_at_its_start_and_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "RESULTS", tmp_path)
    machine.finish("small", {"seconds": 0.5}, {"environment": machine.environment()})
    about = json.loads((tmp_path / "small.json").read_text(encoding="utf-8"))["environment"]
    assert about["load"] >= 0
    assert about["load_end"] >= 0
    assert about["other_cores"] is None or about["other_cores"] >= 0
    assert json.loads(capsys.readouterr().out) == {"seconds": 0.5}
