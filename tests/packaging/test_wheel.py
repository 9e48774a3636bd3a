"""The wheel of a clean clone, by itself in a new environment outside of the checkout, does all that it says."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
MEGABYTES = 750
"""What a plain installation takes at most."""

pytestmark = pytest.mark.long


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel and its dependencies; skipped without internet, or failed where CI=true."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("the wheel is built from a clone, and this is no git checkout")
    place = tmp_path_factory.mktemp("wheel")
    clone, wheels, environment = place / "clone", place / "wheels", place / "environment"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
    build = subprocess.run(
        [*PIP, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels), str(clone)],
        capture_output=True,
        text=True,
    )
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    install = subprocess.run(
        [
            *(*PIP, "--python", str(environment / "bin" / "python")),
            *("install", "--quiet", "--no-compile", *map(str, wheels.glob("*.whl"))),
        ],
        capture_output=True,
        text=True,
    )
    for done in (build, install):
        if done.returncode != 0:
            offline = "No matching distribution" in done.stderr and os.environ.get("CI") != "true"
            (pytest.skip if offline else pytest.fail)(done.stderr[-1000:])
    return environment


def run(environment: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of the environment, in a folder outside of the checkout."""
    line = [str(environment / "bin" / words[0]), *words[1:]]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, env=_plain_environment())


def _plain_environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "KGRANK", "VIRTUAL_ENV"))}


@pytest.fixture(scope="session")
def demo(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which the demo ran, and what it printed."""
    folder = tmp_path_factory.mktemp("outside")
    done = run(environment, folder, "kgrank", "demo", "run")
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, done.stdout


def test_the_python_of_the_readme_runs_on_the_demo(environment: Path, demo: tuple[Path, str]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text.split("```python\n")[1].split("```")[0]
    done = run(environment, demo[0], "python", "-c", block)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3


def test_a_plain_installation_holds_no_torch_and_takes_less_than_its_bar(environment: Path) -> None:
    packages = next((environment / "lib").glob("python3.*")) / "site-packages"
    names = {p.name for p in packages.iterdir()}
    assert names & {"torch", "lightning", "torch_geometric", "matplotlib"} == set()
    size = sum(p.stat().st_size for p in environment.rglob("*") if p.is_file() and not p.is_symlink())
    print(f"size of the environment: {size / 1e6:.0f} MB")
    assert size < MEGABYTES * 1e6


@pytest.mark.parametrize("words", [("kgrank",), ("python", "-m", "kgrank")], ids=" ".join)
def test_the_version_is_printed(environment: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run(environment, tmp_path, *words, "--version").stdout.startswith("kgrank ")


def test_the_shipped_ontology_is_found_by_name(environment: Path, tmp_path: Path) -> None:
    done = run(environment, tmp_path, "kgrank", "ontology", "check", "fashion")
    assert (done.returncode, done.stdout[:8]) == (0, "0 errors")


def test_the_pages_of_help_are_in_the_wheel(environment: Path, tmp_path: Path) -> None:
    assert "file-schemas" in run(environment, tmp_path, "kgrank", "help").stdout
    assert run(environment, tmp_path, "kgrank", "help", "file-schemas").stdout.startswith("# Files")


def test_sheets_are_written_and_read(environment: Path, tmp_path: Path) -> None:
    for words in (
        ("copy", "fashion", "my-shop"),
        ("export", "my-shop", "--xlsx", "sheets.xlsx"),
        ("import", "my-shop", "--xlsx", "sheets.xlsx"),
    ):
        done = run(environment, tmp_path, "kgrank", "ontology", *words)
        assert done.returncode == 0, done.stderr
    assert done.stdout == "0 things in 0 files\n"


def test_the_demo_shows_its_steps_and_ends_with_paths_that_exist(demo: tuple[Path, str]) -> None:
    folder, printed = demo
    steps = [line.split()[2:4] for line in printed.splitlines() if line.startswith("$ kgrank ")]
    assert [s[0] for s in steps] == ["ontology", "demo", "load", "train", "rank", "demo"]
    assert "Three things to try next" in printed
    assert {p.name for p in folder.iterdir()} == {"demo-shop"}
    assert (folder / "demo-shop" / "out" / "weights.json").is_file()


def test_training_by_the_shipped_configuration_ends_with_one_json_line(
    environment: Path, demo: tuple[Path, str], tmp_path: Path
) -> None:
    shutil.copytree(demo[0] / "demo-shop", tmp_path / "demo-shop")
    words = ("train", "--quiet", "--config", "fashion", "--data.until", "2026-05-15")
    done = run(environment, tmp_path, "kgrank", *words)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["weights"] == "out/fashion/weights.json"
    assert (tmp_path / result["weights"]).is_file()


def test_it_ranks(environment: Path, demo: tuple[Path, str]) -> None:
    done = run(environment, demo[0], "kgrank", "rank", "dresses", "--limit", "3", "--json")
    assert done.returncode == 0, done.stderr
    assert "dresses-" in done.stdout


def test_it_audits_and_finds_the_two_wrong_rules(environment: Path, demo: tuple[Path, str]) -> None:
    done = run(environment, demo[0], "kgrank", "audit", "--json")
    assert done.returncode == 1, done.stderr
    verdicts = [f["verdict"] for f in json.loads(done.stdout)["findings"]]
    assert verdicts.count("contradicted") == 2


@pytest.fixture
def service(environment: Path, demo: tuple[Path, str]) -> Iterator[str]:
    """The address of the running service."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = [str(environment / "bin" / "kgrank"), "serve", "--port", str(port)]
    process = subprocess.Popen(
        line,
        cwd=demo[0],
        env=_plain_environment(),
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def ask(address: str, message: dict[str, Any] | None = None) -> Any:
    """The answer of the service, which may still be starting."""
    body = None if message is None else json.dumps(message).encode()
    request = urllib.request.Request(address, body, {"content-type": "application/json"})
    for _ in range(600):
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.load(response)
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError(f"nothing answers at {address}")


def test_it_serves(service: str) -> None:
    assert ask(f"{service}/health")
    page = ask(f"{service}/v1/rank", {"category": "dresses", "size": 3})
    assert "dresses-" in json.dumps(page)
