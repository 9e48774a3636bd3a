"""kgrank audit says of every rule what the data say, and its exit code says whether they contradict one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from shops import example, load

from kgrank.graph.connect import open_store
from kgrank.weights.model import RuleConflict, RuleFinding, RuleText

SUPPORTED = RuleFinding(
    "cheap", "Cheaper is better.", 0.9, 0.5, 0.99, 0.99, 5.0, "supported", "so it is", 90, 30
)
WRONG = RuleFinding(
    "cap", "Color is at most 5%.", 0.9, 0.4, 0.01, 0.05, -4.0, "contradicted", "Color 31%", 90, 30
)


FIGHT = RuleConflict(
    ("cheap", "cap"),
    "cheap and cap cannot all be right in Dresses",
    ("dresses",),
    (0.4, 0.3),
    0.002,
    "Color 31%",
)


Audit = Callable[..., Any]


@pytest.fixture
def audit(kgrank: Callable[..., Any]) -> Audit:
    """Runs the audit of a shop with findings."""

    def run(
        folder: Path,
        findings: tuple[RuleFinding, ...],
        *words: str,
        conflicts: tuple[RuleConflict, ...] = (),
    ) -> Any:
        made = example(3, items=40)
        address = str(folder / "graph.lb")
        with open_store(address) as store:
            weights = replace(made.weights, findings=findings, conflicts=conflicts)
            load(store, replace(made, weights=weights))
        return kgrank("audit", "--store", address, *words)

    return run


def test_a_contradicted_rule_comes_first_and_is_exit_code_1(audit: Audit, tmp_path: Path) -> None:
    run = audit(tmp_path, (SUPPORTED, WRONG), "--json")
    assert run.returncode == 1, run.stderr
    assert [f["rule"] for f in json.loads(run.stdout)["findings"]] == ["cap", "cheap"]


def test_rules_that_the_data_bear_out_are_exit_code_0(audit: Audit, tmp_path: Path) -> None:
    run = audit(tmp_path, (SUPPORTED,))
    assert run.returncode == 0, run.stderr
    assert "supported" in run.stdout
    assert "so it is" in run.stdout


def test_rules_that_fight_through_the_data_are_named_together(audit: Audit, tmp_path: Path) -> None:
    told = audit(tmp_path, (SUPPORTED,), conflicts=(FIGHT,))
    assert "Conflict: cheap and cap cannot all be right in Dresses" in told.stdout
    (conflict,) = json.loads(audit(tmp_path, (SUPPORTED,), "--json", conflicts=(FIGHT,)).stdout)["conflicts"]
    assert (conflict["rules"], conflict["together"]) == (["cheap", "cap"], 0.002)


def test_the_audit_is_printed_in_chinese_with_the_sentences_that_the_weights_hold(
    audit: Audit, tmp_path: Path
) -> None:
    chinese = replace(
        SUPPORTED,
        has_effect=False,
        translations={"zh": RuleText("价格越低越好。", "在6个品类中的6个成立")},
    )
    run = audit(tmp_path, (chinese,), "--language", "zh")
    assert run.returncode == 0, run.stderr
    for words in ("支持", "价格越低越好。", "在6个品类中的6个成立", "证据", "把握不高于偶然"):
        assert words in run.stdout
    for words in ("supported", "evidence", "Cheaper is better"):
        assert words not in run.stdout
    answer = json.loads(audit(tmp_path, (chinese,), "--language", "zh", "--json").stdout)
    assert answer["findings"][0]["sentence"] == "价格越低越好。"
    assert answer["notes"] == []


def test_weights_without_sentences_in_a_language_say_so_and_an_unknown_language_is_refused(
    audit: Audit,
    tmp_path: Path,
) -> None:
    (note,) = json.loads(audit(tmp_path, (SUPPORTED,), "--language", "zh", "--json").stdout)["notes"]
    assert "train again" in note
    assert "train again" in audit(tmp_path, (SUPPORTED,), "--language", "zh").stdout
    run = audit(tmp_path, (SUPPORTED,), "--language", "fr")
    assert (run.returncode, run.stdout) == (2, "")
    assert "no language 'fr'" in run.stderr


def test_a_rule_without_effect_says_so_beside_its_verdict_and_beliefs_show_before_and_after(
    audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    quiet = replace(SUPPORTED, rule="quiet", has_effect=False, prob_prior=0.97)
    several = replace(SUPPORTED, prob_rule_right_prior=0.4, prob_rule_right=0.99)
    shown = audit(tmp_path, (quiet, several)).stdout
    assert "No surer than chance (0.97)" in shown
    assert re.search(r"^ *supported +quiet.*\n *no surer .*\n *than chance ", shown, re.MULTILINE)
    assert shown.count("than chance ") == 2, "of the other rule it is not said"
    assert "0.40→0.99" in shown


def test_the_chart_is_a_picture(audit: Audit, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    chart = tmp_path / "audit.png"
    audit(tmp_path, (WRONG,), "--chart", str(chart))
    assert chart.read_bytes().startswith(b"\x89PNG")
