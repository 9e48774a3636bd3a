"""A full disk, a folder that may not be written to, a folder in place of a file, a closed pipe: one line each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from generated_shop import ontology, write_files
from test_hostile_text import all_commands

from kgrank.cli.main import main
from kgrank.graph.build import build_graph
from kgrank.graph.connect import open_store
from kgrank.graph.sync import load
from kgrank.ingest.clean import ingest

EXAMPLE = Path(__file__).parent / "ontology" / "fashion_example"


@dataclass(frozen=True)
class Shop:
    """A trained shop."""

    files: Path
    store: str
    weights: Path
    run: Path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("shop")
    files, store, run = write_files(folder / "files"), str(folder / "shop.lb"), folder / "run.yaml"
    with open_store(store) as opened:
        load(opened, build_graph(ingest(files, ontology=ontology())))
    run.write_text(yaml.safe_dump({"data": {"store": store}, "out": str(folder / "out"), "people": False}))
    with pytest.raises(SystemExit):
        main(["train", "--config", str(run), "--quiet"])
    return Shop(files, store, folder / "out" / "weights.json", run)


def answers(folder: Path) -> Path:
    """A sheet of proposals without an accepted one."""
    path = folder / "answers.csv"
    path.write_text("item,attribute,value,accept\ndresses-1,color,red,no\n")
    return path


WRITING: dict[str, Callable[[Shop, str], list[str]]] = {
    "demo build": lambda s, to: ["demo", "build", to],
    "demo run": lambda s, to: ["demo", "run", to],
    "demo groceries": lambda s, to: ["demo", "groceries", to],
    "demo report": lambda s, to: [
        "demo", "report", str(s.files), "--weights", str(s.weights), "--chart", f"{to}.png",
    ],
    "ontology check": lambda s, to: ["ontology", "check", str(EXAMPLE), "--sarif", to],
    "ontology graph": lambda s, to: ["ontology", "graph", str(EXAMPLE), "--svg", to],
    "ontology copy": lambda s, to: ["ontology", "copy", "fashion", to],
    "ontology export": lambda s, to: ["ontology", "export", str(EXAMPLE), "--csv", to],
    "ontology carry": lambda s, to: [
        "ontology", "carry", str(s.weights), "--from", str(EXAMPLE), "--to", str(EXAMPLE), "-o", to
    ],
    "load": lambda s, to: ["load", str(s.files), "--store", f"{s.store}.new", "--rejects", to],
    "init": lambda s, to: ["init", str(s.files), "--out", to],
    "train": lambda s, to: ["train", "--config", str(s.run), "--out", to],
    "importance": lambda s, to: ["importance", "dresses", "--store", s.store, "--chart", f"{to}.svg"],
    "audit": lambda s, to: ["audit", "--store", s.store, "--chart", f"{to}.svg"],
    "ask": lambda s, to: ["ask", "dresses", "--store", s.store, "--survey", f"{to}.csv"],
    "propose accept": lambda s, to: [
        "propose", "accept", str(s.files / "items.csv"), str(answers(s.files.parent)), "--out", to
    ],
    "propose values": lambda s, to: [
        "propose", "values", str(s.files / "items.csv"), "--text", "color", "--attribute", "color", "--out", to
    ],
    "keys add": lambda s, to: ["keys", "add", "name", "--file", to],
}  # fmt: skip
"""The commands that write files, with the place to write to."""

READING = {
    "ontology rules", "ontology fmt", "ontology lint", "ontology merge", "ontology diff", "ontology import",
    "tune", "rank", "explain", "facets", "weights list", "weights serve", "weights prune", "doctor", "serve",
    "keys list", "keys remove", "forget", "help",
}  # fmt: skip
"""Commands that only print, or change a file or a store that is there."""


def test_the_walk_has_every_command() -> None:
    assert set(all_commands()) == set(WRITING) | READING


def a_missing_device(folder: Path) -> str:
    return "/proc/no/such/place"


def below_a_file(folder: Path) -> str:
    (folder / "file").write_text("")
    return str(folder / "file" / "below")


@pytest.mark.parametrize("place", [a_missing_device, below_a_file], ids=lambda f: f.__name__)
@pytest.mark.parametrize("command", WRITING)
def test_a_place_that_cannot_be_written_to_is_one_error(
    shop: Shop,
    tmp_path: Path,
    command: str,
    place: Callable[[Path], str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    to = place(tmp_path)
    capfd.readouterr()
    with pytest.raises(SystemExit) as end:
        main(WRITING[command](shop, to))
    _, errors = capfd.readouterr()
    assert end.value.code == 2, errors
    assert "Traceback" not in errors
    (line,) = [x for x in errors.splitlines() if x.startswith("error: ")]
    assert not list(tmp_path.glob(".*"))
    assert len(line) < 500


@pytest.mark.parametrize("command", ["ontology check", "ontology graph", "load", "keys add"])
def test_a_folder_in_place_of_a_file_is_one_error(
    shop: Shop, tmp_path: Path, command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(SystemExit) as end:
        main(WRITING[command](shop, str(tmp_path / "folder")))
    _, errors = capfd.readouterr()
    assert end.value.code == 2, errors
    assert "Traceback" not in errors
    assert [x for x in errors.splitlines() if x.startswith("error: ")]


@pytest.mark.parametrize("command", ["ontology check", "ontology graph", "load"])
def test_a_full_device_is_one_error(shop: Shop, command: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(WRITING[command](shop, "/dev/full"))
    _, errors = capfd.readouterr()
    assert end.value.code == 2, errors
    assert "/dev/full: cannot be written (No space left on device). Make room on the disk." in errors


PRINTING: dict[str, Callable[[Shop], list[str]]] = {
    "ontology rules": lambda s: ["ontology", "rules", str(EXAMPLE)],
    "ontology rules as JSON": lambda s: ["ontology", "rules", str(EXAMPLE), "--json"],
    "rank": lambda s: ["rank", "dresses", "--store", s.store],
    "rank as JSON": lambda s: ["rank", "dresses", "--store", s.store, "--json"],
    "importance": lambda s: ["importance", "dresses", "--store", s.store],
    "explain": lambda s: ["explain", "dresses-1", "--category", "dresses", "--store", s.store],
    "facets": lambda s: ["facets", "dresses", "--store", s.store, "--json"],
    "audit": lambda s: ["audit", "--store", s.store],
    "weights list": lambda s: ["weights", "list", "--store", s.store],
    "doctor": lambda s: ["doctor", "--store", s.store],
    "help": lambda s: ["help", "service"],
    "its help": lambda s: ["rank", "--help"],
    "the configuration": lambda s: ["train", "--config", str(s.run), "--print_config"],
}


def run(arguments: list[str], output: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kgrank", *arguments],
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("command", PRINTING)
def test_output_into_a_full_device_is_one_error(shop: Shop, command: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(PRINTING[command](shop), full.fileno())
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert [x for x in done.stderr.splitlines() if x.startswith("error: ")] == [
        "error: the output: No space left on device"
    ]


@pytest.mark.parametrize("command", PRINTING)
def test_a_reader_that_leaves_ends_a_command_without_a_word(shop: Shop, command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = run(PRINTING[command](shop), writing)
    os.close(writing)
    # The page of --help is typer's, which ends with 1.
    assert done.returncode == (1 if command == "its help" else 141), done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert "error" not in done.stderr
