"""Workflows, templates and hooks name only what the project has."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FORGE = ROOT / ".github"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((FORGE / "workflows").glob("*.yml"))
FORMS = [FORGE / "ISSUE_TEMPLATE" / name for name in ("bug.yml", "feature.yml")]


def parsed(path: Path) -> dict[str, Any]:
    """A YAML file; ``on`` stays a word instead of the truth value of YAML 1.1."""
    content: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)
    return content


def named(path: Path) -> str:
    """The name of a file, for the ids of tests."""
    return path.name


def commands(path: Path) -> list[str]:
    """What the steps of a workflow run."""
    jobs = parsed(path)["jobs"].values()
    return [step["run"] for job in jobs for step in job.get("steps", ()) if "run" in step]


@pytest.mark.parametrize("path", WORKFLOWS, ids=named)
def test_workflows_run_only_make_targets_that_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    lines = [line for line in commands(path) if line.startswith("make ")]
    assert lines
    for line in lines:
        words = shlex.split(line.partition(">")[0])[1:]
        goals = {word for word in words if "=" not in word and not word.startswith("-")}
        assert goals, line
        assert goals <= targets, line


@pytest.mark.parametrize("path", WORKFLOWS, ids=named)
def test_workflows_may_only_read(path: Path) -> None:
    workflow = parsed(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in workflow["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=named)
def test_text_from_outside_reaches_a_shell_by_the_environment_only(path: Path) -> None:
    assert [line for line in commands(path) if "${{" in line] == []


def test_the_tests_run_on_every_python_that_the_project_names() -> None:
    matrix = parsed(FORGE / "workflows" / "test.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]
    prefix = "Programming Language :: Python :: 3."
    classified = [c.split()[-1] for c in PYPROJECT["project"]["classifiers"] if c.startswith(prefix)]
    assert matrix == classified == ["3.11", "3.12", "3.13"]
    assert PYPROJECT["project"]["requires-python"] == f">={matrix[0]}"
    assert PYPROJECT["tool"]["mypy"]["python_version"] == matrix[0]
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py{matrix[0].replace('.', '')}"


def test_a_newer_push_ends_the_tests_of_an_older_one() -> None:
    concurrency = parsed(FORGE / "workflows" / "test.yml")["concurrency"]
    assert "github.ref" in concurrency["group"]
    assert concurrency["cancel-in-progress"] == "true"


def test_a_wheel_is_built_only_of_what_passes_the_tests() -> None:
    jobs = parsed(FORGE / "workflows" / "release.yml")["jobs"]
    assert (ROOT / jobs["test"]["uses"]).is_file()
    assert jobs["wheel"]["needs"] == "test"
    assert "workflow_call" in parsed(FORGE / "workflows" / "test.yml")["on"]


@pytest.mark.parametrize("path", FORMS, ids=named)
def test_issue_forms_have_what_the_forge_demands(path: Path) -> None:
    form = parsed(path)
    assert {"name", "description", "body"} <= set(form)
    ids = [field["id"] for field in form["body"]]
    assert len(ids) == len(set(ids))
    for field in form["body"]:
        assert field["type"] in ("textarea", "input", "dropdown", "checkboxes")
        assert field["attributes"]["label"]
    assert any(field.get("validations", {}).get("required") == "true" for field in form["body"])


def test_a_bug_report_asks_for_the_report_of_the_doctor() -> None:
    (report,) = [field for field in parsed(FORMS[0])["body"] if field["id"] == "report"]
    assert "`kgrank doctor --report`" in report["attributes"]["description"]
    assert report["validations"] == {"required": "true"}


def test_there_is_no_blank_issue_and_the_way_for_vulnerabilities_is_named() -> None:
    config = FORGE / "ISSUE_TEMPLATE" / "config.yml"
    assert parsed(config)["blank_issues_enabled"] == "false"
    assert "SECURITY.md" in config.read_text(encoding="utf-8")
    assert (ROOT / "SECURITY.md").is_file()


def test_a_pull_request_is_asked_for_checks_that_exist() -> None:
    text = (FORGE / "PULL_REQUEST_TEMPLATE.md").read_text(encoding="utf-8")
    assert "`make check`" in text
    for path in re.findall(r"`([\w./]+(?:\.md|/))`", text):
        assert (ROOT / path).exists(), path


HOOKS: list[dict[str, Any]] = [
    hook for repo in parsed(ROOT / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]
]


def test_hooks_come_from_the_environment_of_the_project() -> None:
    repos = parsed(ROOT / ".pre-commit-config.yaml")["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    assert {hook["language"] for hook in HOOKS} == {"system"}


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_every_hook_runs_a_tool_that_the_development_extra_installs(hook: dict[str, Any]) -> None:
    folder, _, tool = hook["entry"].split()[0].rpartition("/")
    assert folder == ".venv/bin"
    assert (Path(sys.executable).parent / tool).is_file(), f"{tool} is not installed: make test"


def test_hooks_run_the_tools_of_make_check_but_for_the_tests() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    check = re.search(r"^check:\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert check is not None
    lines = re.findall(r"\$\(call step,(.*)\)", check[1])
    hooked = [hook["entry"].removeprefix(".venv/bin/").removesuffix(" --force-exclude") for hook in HOOKS]
    quick = {line.removesuffix(" --check") for line in lines if not line.startswith("python -m pytest")}
    assert len(quick) == len(lines) - 1
    assert quick <= set(hooked)


def test_a_warning_is_an_error_in_tests() -> None:
    with pytest.raises(ResourceWarning):
        warnings.warn("a file that nobody closed", ResourceWarning, stacklevel=1)


def test_every_warning_that_is_passed_over_is_named_with_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^filterwarnings = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    assert listed is not None
    first, *rest = (line.strip() for line in listed[1].splitlines())
    assert first == '"error",'
    assert all(line.startswith("# ") for line in rest[0::2])
    assert all(re.fullmatch(r'"ignore:[^:]{20,}:\w+(:[\w.]+)?",', line) for line in rest[1::2])
