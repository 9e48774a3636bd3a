"""``kgrank tune``: a search by held-out choices that goes on where it was cut off, and says if it paid."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from generated_shop import graph_of, write_files
from interruptible import interruptible
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.errors import KgrankError
from kgrank.graph.connect import open_store
from kgrank.graph.sync import load
from kgrank.learning.tuning.trials import GROUPS, Score, gain
from kgrank.weights.artefact import read_weights
from train import main as train

QUICK = (
    "--over",
    "network.prior_means.optimizer.lr=0.001:0.1:log",
    "--over",
    "network.prior_means.width=4,8",
)

Tune = Callable[..., dict[str, Any]]


@pytest.fixture
def run_tune(config_file: Path) -> Tune:
    """``kgrank tune --config … --json`` within this process; its JSON document."""

    def run(*options: str) -> dict[str, Any]:
        done = CliRunner().invoke(app, ["tune", "--config", str(config_file), "--json", *QUICK, *options])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return dict(json.loads(done.stdout))

    return run


def timeless(tries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in one.items() if k != "seconds"} for one in tries]


def test_try_0_is_the_configuration_as_it_stands_and_the_best_runs_with_train(
    run_tune: Tune, tmp_path: Path
) -> None:
    found = run_tune("--trials", "3", "--chart", str(tmp_path / "tries.png"))
    first, *others = found["tries"]
    assert first["settings"] == {"network.prior_means.optimizer.lr": 0.02, "network.prior_means.width": 8}
    assert len(others) == 2
    best = max((t for t in found["tries"] if t["outcome"] == "whole"), key=lambda t: t["log_likelihood"])
    assert found["settings"] == best["settings"]
    assert found["gain"] == pytest.approx(best["log_likelihood"] - first["log_likelihood"])
    assert (tmp_path / "tries.png").stat().st_size > 0

    assert train(["--config", found["config"]]) == 0
    weights = read_weights(tmp_path / "out" / "weights.json")
    assert weights.metrics["held_out_log_likelihood"] == pytest.approx(found["log_likelihood"], abs=1e-9)


def test_a_search_that_was_killed_goes_on_as_it_would_have(run_tune: Tune, tmp_path: Path) -> None:
    whole = run_tune("--trials", "3", "--out", str(tmp_path / "whole"))
    run_tune("--trials", "1", "--out", str(tmp_path / "cut"))
    journal = tmp_path / "cut" / "tries.journal"
    begun = next(
        line
        for line in (tmp_path / "whole" / "tries.journal").read_text().splitlines()
        if json.loads(line)["op_code"] == 4  # a trial begins
        and "state" not in json.loads(line)
    )
    with journal.open("a") as file:
        file.write(begun + "\n" + begun[:20])  # killed within a try, and within a line
    rest = run_tune("--trials", "3", "--out", str(tmp_path / "cut"))
    assert timeless(rest["tries"]) == timeless(whole["tries"])


@pytest.mark.parametrize(
    ("over", "outcome"),
    [
        ("network.prior_means.optimizer.lr=3:30", "hopeless"),
        ("network.prior_means.optimizer.lr=1e30,1e31", "diverged"),
    ],
)
def test_a_try_that_leads_nowhere_is_given_up_and_the_search_goes_on(
    config_file: Path, over: str, outcome: str
) -> None:
    done = CliRunner().invoke(
        app, ["tune", "--config", str(config_file), "--json", "--trials", "3", "--over", over]
    )
    found = json.loads(done.stdout)
    assert [t["outcome"] for t in found["tries"]] == ["whole", outcome, outcome]
    assert found["settings"] == {"network.prior_means.optimizer.lr": 0.02}


def test_no_try_begins_when_the_minutes_are_spent_but_try_0_is_done(run_tune: Tune) -> None:
    found = run_tune("--trials", "50", "--minutes", "0.0001")
    assert [t["number"] for t in found["tries"]] == [0]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--over", "network.prior_means.optimizer.rate=0.1:1"], "network.prior_means.optimizer.lr"),
        (["--over", "data.store=a,b"], "data.store"),
        (["--over", "network.prior_means.width"], "NAME=LOW:HIGH"),
        (["--over", "network.prior_means.optimizer.lr=1:0.1"], "low end below"),
        (["--over", "network.prior_means.optimizer.lr=0:1:log"], "above 0 for log"),
        (["--over", "network.prior_means.optimizer.lr=0.1:many"], "many"),
        (["--over", "network.prior_means.optimizer.name=adam,lion"], "lion"),
        (["--over", "network.prior_means.dropout=0:2"], "below 1"),
        (["--over", "network.prior_means.width=4,8", "--network", "off"], "network.prior_means=off,on"),
        (["--over", "network.prior_means.width=4,8", "--over", "network.prior_means.width=2,3"], "twice"),
        (["--trials", "0"], "--trials"),
        (["--minutes", "-1"], "--minutes"),
        (["--validation.share", "0"], "held out"),
        (["--optimiser.lr", "1"], "optimiser"),
        (["--network.prior_means.folds", "1"], "one category or fold"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "",
)
def test_what_cannot_be_searched_is_one_error_and_leaves_nothing(
    config_file: Path, tmp_path: Path, options: list[str], word: str
) -> None:
    done = CliRunner().invoke(app, ["tune", "--config", str(config_file), *options])
    assert isinstance(done.exception, KgrankError), done.output
    assert word in done.exception.sentence()
    assert not (tmp_path / "out").exists()


def test_another_search_in_the_folder_is_refused_and_keeps_its_tries(run_tune: Tune) -> None:
    before = run_tune("--trials", "1")
    with pytest.raises(KgrankError, match="seed"):
        run_tune("--trials", "1", "--seed", "5")
    assert run_tune("--trials", "1")["tries"] == before["tries"]


def test_a_shop_with_one_category_has_nothing_to_tune(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "one.lb")) as opened:
        load(opened, graph_of(write_files(tmp_path / "files", people=20, categories=("dresses",)))[0])
    config = tmp_path / "one.yaml"
    config.write_text(
        yaml.safe_dump({"data": {"store": str(tmp_path / "one.lb")}, "out": str(tmp_path / "o")})
    )
    done = CliRunner().invoke(app, ["tune", "--config", str(config)])
    assert isinstance(done.exception, KgrankError)
    assert "one category" in done.exception.sentence()


@pytest.fixture
def searching(config_file: Path) -> Iterator[subprocess.Popen[str]]:
    """A search of many tries."""
    command = interruptible("from kgrank.cli.main import main; main()")
    process = subprocess.Popen(
        [*command, "tune", "--config", str(config_file), "--trials", "500", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    yield process
    process.kill()
    process.wait()


def test_ctrl_c_keeps_what_was_done_and_a_second_search_waits_its_turn(
    searching: subprocess.Popen[str], config_file: Path, tmp_path: Path
) -> None:
    best = tmp_path / "out" / "tune" / "best.yaml"
    limit = time.monotonic() + 120
    while not best.is_file() and time.monotonic() < limit:
        time.sleep(0.1)
    second = CliRunner().invoke(app, ["tune", "--config", str(config_file), "--trials", "1"])
    assert isinstance(second.exception, KgrankError)
    assert "another search writes into this folder" in second.exception.sentence()
    searching.send_signal(signal.SIGINT)
    output, errors = searching.communicate(timeout=60)
    assert searching.returncode == 130, errors
    assert "Ctrl-C" in errors
    assert "Traceback" not in errors
    found = json.loads(output)
    assert found["interrupted"] is True
    assert found["tries"][0]["outcome"] == "whole"


def test_the_standard_error_of_a_gain_is_what_redrawn_people_show() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 9, GROUPS).astype(float)
    ours = Score(rng.normal(-1.0, 0.3, GROUPS) * sizes, sizes)
    theirs = Score(rng.normal(-1.1, 0.3, GROUPS) * sizes, sizes)
    above, error = gain(ours, theirs)
    assert above == pytest.approx(ours.mean - theirs.mean)
    redrawn = []
    for _ in range(4000):
        some = rng.integers(0, GROUPS, GROUPS)
        redrawn.append((ours.total - theirs.total)[some].sum() / sizes[some].sum())
    assert error == pytest.approx(np.std(redrawn), rel=0.05)
