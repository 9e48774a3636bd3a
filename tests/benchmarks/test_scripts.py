"""Every benchmark explains itself, and says what to do where its data are missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = sorted(p.name for p in BENCHMARKS.glob("*.py") if '__name__ == "__main__"' in p.read_text("utf-8"))
WITH_DATA = {
    "importance.py": ([], "choice_camera"),
    "rules.py": ([], "choice_camera"),
    "recommend.py": ([], "amazon_beauty"),
    "beauty_network.py": (["--work", "nowhere"], "amazon_beauty"),
    "ontology.py": ([], "shopify_taxonomy"),
    "transfer.py": (["--data", "choice_scanner"], "choice_scanner"),
    "query.py": (["--beauty", "amazon_beauty"], "amazon_beauty"),
}
RUN = """
import contextlib, io, json, runpy, sys
for line in json.loads(sys.argv[1]):
    sys.argv, out, err, code = line, io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            runpy.run_path(line[0], run_name="__main__")
        except SystemExit as end:
            code = end.code
    print(json.dumps([code, out.getvalue(), err.getvalue()]))
"""
"""Runs several scripts in one process, so that what they import is imported once."""


@pytest.fixture(scope="module")
def runs() -> dict[tuple[str, bool], tuple[int, str, str]]:
    """Exit code, output and errors of each script with --help, and of those with data where there are none."""
    asked = [(name, True, ["--help"]) for name in SCRIPTS]
    asked += [(name, False, words) for name, (words, _) in WITH_DATA.items()]
    lines = [[str(BENCHMARKS / name), *words] for name, _, words in asked]
    environment = {k: v for k, v in os.environ.items() if k != "KGRANK_DATA"} | {"COLUMNS": "200"}
    line = [sys.executable, "-c", RUN, json.dumps(lines)]
    done = subprocess.run(line, capture_output=True, text=True, env=environment, check=True)
    results = [json.loads(text) for text in done.stdout.splitlines()]
    return {(name, helps): tuple(result) for (name, helps, _), result in zip(asked, results, strict=True)}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_explains_itself(name: str, runs: dict[tuple[str, bool], tuple[int, str, str]]) -> None:
    code, out, errors = runs[name, True]
    assert (code, errors) == (0, "")
    assert f"usage: {name}" in out
    assert name in ("prepare.py", "sasrec.py") or "Data: " in out
    if name in WITH_DATA:
        assert WITH_DATA[name][1] in out


@pytest.mark.parametrize("name", WITH_DATA)
def test_missing_data_are_one_line_that_says_what_to_do(
    name: str, runs: dict[tuple[str, bool], tuple[int, str, str]]
) -> None:
    code, out, errors = runs[name, False]
    assert (code, out) == (2, "")
    (line,) = errors.splitlines()
    data = WITH_DATA[name][1]
    assert f"the data set {data} is not there (KGRANK_DATA is not set)" in line
    assert f"python benchmarks/prepare.py {data} --from FILE" in line


def test_the_page_on_benchmarks_names_every_script() -> None:
    page = (BENCHMARKS.parent / "docs" / "run-benchmarks.md").read_text(encoding="utf-8")
    assert [name for name in SCRIPTS if f"`{name}`" not in page and f"benchmarks/{name}" not in page] == [
        "sasrec.py"
    ]
