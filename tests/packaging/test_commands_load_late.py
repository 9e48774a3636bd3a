"""The command line starts without what a command does not need, and is silent with --quiet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kgrank.cli.common import EXTRAS, require_extra
from kgrank.errors import InputError

ROOT = Path(__file__).parents[2]
HEAVY = {"numpy", "polars", "scipy", "neo4j", "ladybug", "pyoxigraph", "rdflib", "uvicorn", "torch"}


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("words", [["rank", "--help"], ["--version"], ["help"]], ids=" ".join)
def test_help_and_version_load_none_of_the_large_packages(words: list[str]) -> None:
    done = python(
        "import sys\nfrom kgrank.cli.main import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    assert done.stderr == "[]\n"


def test_one_command_does_not_load_the_others() -> None:
    done = python(
        "import sys\nfrom kgrank.cli.main import main\n"
        "try:\n    main(['rank', '--help'])\nexcept SystemExit:\n    pass\n"
        "print([m for m in sys.modules if m.startswith('kgrank.cli.store')], file=sys.stderr)"
    )
    assert done.stderr == "[]\n"


def test_training_decides_on_threads_before_numpy_is_loaded() -> None:
    done = python(
        "import os, sys\nos.environ.pop('OMP_NUM_THREADS', None)\n"
        "from kgrank.cli import main\n"
        "assert 'numpy' not in sys.modules\n"
        "try:\n    main.main(['train', '--help'])\nexcept SystemExit:\n    pass\n"
        "print(os.environ['OMP_NUM_THREADS'], file=sys.stderr)"
    )
    assert done.stderr.strip().splitlines()[-1].isdigit()
    assert "kgrank train --config fashion" in done.stdout


NOTED = "import sys\nfrom kgrank.cli.main import main\nmain({words!r})"


@pytest.mark.parametrize("where", ["before", "after"])
def test_quiet_silences_notes_before_and_after_the_command(where: str, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("id,category,price\na,shoes,10\nb,shoes,20\n", encoding="utf-8")
    load = ["load", str(tmp_path), "--store", str(tmp_path / "shop.lb")]
    assert python(NOTED.format(words=load)).stderr.startswith("note: ")
    words = ["--quiet", *load] if where == "before" else [*load, "--quiet"]
    done = python(NOTED.format(words=words))
    assert (done.returncode, done.stderr) == (0, "")
    assert "In " in done.stdout


def test_quiet_does_not_silence_an_error(tmp_path: Path) -> None:
    done = python(NOTED.format(words=["--quiet", "load", str(tmp_path), "--store", "x.lb"]))
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")


def test_a_chart_without_its_extra_is_refused_before_any_work() -> None:
    hidden = "import sys\nsys.modules['matplotlib'] = None\n"
    words = ["demo", "report", "nowhere", "--weights", "nowhere.json", "--chart", "chart.png"]
    done = python(hidden + NOTED.format(words=words))
    assert done.returncode == 2
    assert done.stderr == "error: matplotlib is not installed. Install it: pip install 'kgrank[plots]'\n"


@pytest.mark.parametrize("extra", EXTRAS)
def test_each_extra_is_one_of_the_package(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    monkeypatch.setitem(sys.modules, EXTRAS[extra], None)
    with pytest.raises(InputError, match=rf"pip install 'kgrank\[{extra}\]'"):
        require_extra(extra)
