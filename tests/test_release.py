"""One version everywhere, a changelog in the order of time, and release notes from it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
import yaml

import kgrank

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
CUT = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", CHANGELOG, re.MULTILINE)
"""Version and date of each section but [Unreleased], from the top."""


def numbers(version: str) -> tuple[int, ...]:
    """Major, minor and patch, to compare by."""
    return tuple(int(part) for part in version.split(".")[:3])


def notes(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What the script of release notes does."""
    line = [sys.executable, "scripts/release_notes.py", *arguments]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True)


def installed_version() -> str:
    """The version in this checkout's installation; skips where another one or none is installed."""
    try:
        package = Distribution.from_name("kgrank")
    except PackageNotFoundError:
        pytest.skip("kgrank is not installed")
    origin = json.loads(package.read_text("direct_url.json") or "{}").get("url")
    if origin != ROOT.as_uri():
        pytest.skip("kgrank is installed from another place than this checkout")
    return package.version


def test_the_version_is_written_in_the_package_alone() -> None:
    assert PROJECT["dynamic"] == ["version"]
    assert "version" not in PROJECT


def test_what_is_installed_has_the_version_of_the_package() -> None:
    assert installed_version() == kgrank.__version__, "install anew: make test"


def test_a_release_has_its_section_and_work_towards_the_next_stands_under_unreleased() -> None:
    newest = CUT[0][0]
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev0)?", kgrank.__version__)
    if kgrank.__version__.endswith(".dev0"):
        assert re.search(r"^## \[.*$", CHANGELOG, re.MULTILINE)[0] == "## [Unreleased]"  # type: ignore[index]
        assert numbers(kgrank.__version__) > numbers(newest)
    else:
        assert kgrank.__version__ == newest


def test_versions_of_the_changelog_go_down_and_so_do_their_dates() -> None:
    versions, dates = zip(*CUT, strict=True)
    assert versions[-1] == "0.1.0"
    assert list(versions) == sorted(set(versions), key=numbers, reverse=True)
    assert list(dates) == sorted(dates, reverse=True)


def test_changes_are_kept_under_the_headings_of_keep_a_changelog() -> None:
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", CHANGELOG, re.MULTILINE)) <= kinds
    for section in re.split(r"^## ", CHANGELOG, flags=re.MULTILINE)[1:]:
        headings = re.findall(r"^### (.*)$", section, re.MULTILINE)
        assert len(headings) == len(set(headings)), section.splitlines()[0]


def test_no_entry_of_the_changelog_is_there_twice() -> None:
    entries = [" ".join(e.split()) for e in re.findall(r"^- (.*(?:\n  .*)*)$", CHANGELOG, re.MULTILINE)]
    assert len(entries) > 20
    assert len(entries) == len(set(entries))


def test_the_citation_has_what_the_format_demands_and_nothing_unknown() -> None:
    known = {"abstract", "authors", "cff-version", "date-released", "doi", "keywords", "license", "message"}
    known |= {"repository-code", "title", "type", "url", "version"}
    assert {"authors", "cff-version", "message", "title"} <= set(CITATION) <= known
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["type"] in ("software", "dataset")


def test_the_citation_agrees_with_the_package() -> None:
    assert CITATION["version"] == kgrank.__version__
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["title"] == PROJECT["name"]
    assert CITATION["authors"] == PROJECT["authors"]


def test_release_notes_are_the_section_of_their_version() -> None:
    done = notes("0.4.0")
    assert done.returncode == 0
    assert done.stdout.startswith("### Added\n")
    assert "`kgrank serve`" in done.stdout
    assert "## [" not in done.stdout


@pytest.mark.parametrize("version", [version for version, _ in CUT])
def test_every_version_has_release_notes(version: str) -> None:
    assert "\n- " in notes(version).stdout


@pytest.mark.parametrize("arguments", [["9.9.9"], [], ["0.4.0", "0.3.0"]])
def test_notes_of_no_known_version_are_one_clear_error(arguments: list[str]) -> None:
    done = notes(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert all(version in done.stderr for version, _ in CUT)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_prints_release_notes_and_nothing_else() -> None:
    line = ["make", "release-notes", "VERSION=0.3.0", f"PYTHON={sys.executable}"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == notes("0.3.0").stdout
