"""What is shipped is found by its name, and an unknown name says which names there are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.errors import InputError
from kgrank.ingest.mapping import read_mapping
from kgrank.ontology.read import read_ontology
from kgrank.resources import config_file, folder, help_pages, mapping_file, ontology_folder

ROOT = Path(__file__).parents[2]
RUN = CliRunner()


def kgrank(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-P", "-m", "kgrank", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True, env=environment)


def test_the_fashion_ontology_has_a_name() -> None:
    assert read_ontology("fashion").fingerprint == read_ontology(folder("ontology") / "fashion").fingerprint


def test_a_folder_of_ones_own_comes_before_a_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fashion").mkdir()
    monkeypatch.chdir(tmp_path)
    assert ontology_folder("fashion") == Path("fashion")


@pytest.mark.parametrize(
    ("find", "wrong", "right"),
    [
        (ontology_folder, "fashoin", "fashion"),
        (config_file, "fasion", "fashion"),
        (mapping_file, "choice_kamera", "choice_camera"),
    ],
)
def test_an_unknown_name_says_which_are_shipped(find: object, wrong: str, right: str) -> None:
    with pytest.raises(InputError, match=rf"one of .*{right}.*Did you mean {right}"):
        find(wrong)  # type: ignore[operator]


def test_a_path_is_never_a_name(tmp_path: Path) -> None:
    assert ontology_folder(tmp_path / "fashion") == tmp_path / "fashion"
    assert config_file("fashion.yaml") == Path("fashion.yaml")


@pytest.mark.parametrize("name", sorted(p.stem for p in (ROOT / "configs" / "mappings").glob("*.yaml")))
def test_every_shipped_mapping_is_read_by_its_name(name: str) -> None:
    assert read_mapping(name).sources


@pytest.mark.parametrize("name", ["beauty", "camera", "fashion"])
def test_shipped_configurations_name_nothing_that_only_a_checkout_has(name: str, tmp_path: Path) -> None:
    text = config_file(name).read_text(encoding="utf-8")
    named = dict(re.findall(r"^ +(ontology|mapping): (\S+)$", text, re.MULTILINE))
    assert named
    assert all(Path(value).parts == (value,) for value in named.values())
    for key, value in named.items():
        assert {"ontology": ontology_folder, "mapping": mapping_file}[key](value).exists()


@pytest.mark.parametrize(
    "words",
    [
        ("ontology", "check", "fashoin"),
        ("ontology", "rules", "fashoin"),
        ("ontology", "diff", "fashion", "fashoin"),
        ("load", "shop", "--ontology", "fashoin", "--store", "shop.lb"),
        ("train", "--config", "fashoin"),
    ],
    ids=" ".join,
)
def test_a_misspelt_name_is_one_line_and_exit_code_2(words: tuple[str, ...], tmp_path: Path) -> None:
    done = kgrank(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "Did you mean fashion?" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_copy_of_the_ontology_is_a_folder_to_edit(tmp_path: Path) -> None:
    mine = str(tmp_path / "mine")
    assert RUN.invoke(app, ["ontology", "copy", "fashion", mine]).exit_code == 0
    assert RUN.invoke(app, ["ontology", "check", mine]).output.startswith("0 errors")
    again = RUN.invoke(app, ["ontology", "copy", "fashion", mine])
    assert isinstance(again.exception, InputError)


def test_every_topic_that_the_code_or_a_text_names_has_a_page() -> None:
    texts = [*(ROOT / "kgrank").rglob("*.py"), ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = {t for p in texts for t in re.findall(r"kgrank help ([a-z][a-z-]+)", p.read_text("utf-8"))}
    assert {"file-schemas", "rules"} <= named <= set(help_pages())


def test_no_message_of_the_code_names_a_page_that_only_a_checkout_has() -> None:
    """Docstrings and comments may; strings that people read may not."""
    wrong = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in (ROOT / "kgrank").rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if re.search(r'"[^"]*docs/[a-z-]+\.md[^"]*"', line) and '"""' not in line
    ]
    assert wrong == []


def test_help_lists_each_topic_with_a_line(tmp_path: Path) -> None:
    done = kgrank("help", cwd=tmp_path)
    assert done.returncode == 0
    lines = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()[:-1]}
    assert set(lines) == set(help_pages())
    assert all(lines.values())


def test_help_prints_the_page_as_it_is_where_there_is_no_terminal(tmp_path: Path) -> None:
    done = kgrank("help", "rules", cwd=tmp_path)
    assert done.stdout == help_pages()["rules"].read_text(encoding="utf-8")


def test_help_on_nothing_known_lists_what_there_is(tmp_path: Path) -> None:
    done = kgrank("help", "file-schema", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no help on file-schema. Did you mean file-schemas?" in done.stderr
    assert kgrank("help", "nothing", cwd=tmp_path).returncode == 2
