"""A real ``kgrank train`` that a signal ends at any moment: its exit code, its one line, and what it leaves."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from interruptible import await_stop, interruptible, stopping_after

from kgrank.graph.connect import open_store
from kgrank.ranking import open_shop
from kgrank.weights.artefact import read_weights

MAIN = "from kgrank.cli.main import main; main()"
STAGES = {
    "loading": False,
    "choice sets": False,
    "prior means": False,
    "optimum": False,
    "how people differ": True,
    "which item follows which": True,
    "what people like": True,
    "writing": True,
}
"""By the stage at whose beginning a signal comes, whether there are weights."""


@pytest.fixture
def run_file(tmp_path: Path, files: Path) -> Path:
    """A run that loads its files, with people's tastes and what else a run does by default."""
    path = tmp_path / "run.yaml"
    data = {"store": str(tmp_path / "shop.lb"), "folder": str(files)}
    path.write_text(yaml.safe_dump({"data": data, "out": str(tmp_path / "out"), "people": True}))
    return path


def started(run_file: Path, stage: str) -> subprocess.Popen[str]:
    """A training that has stopped itself (SIGSTOP) at the beginning of a stage."""
    process = subprocess.Popen(
        [*stopping_after(f": {stage}", MAIN), "train", "--config", str(run_file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    await_stop(process)
    return process


def lines_until(process: subprocess.Popen[str], stage: str) -> Iterator[str]:
    assert process.stderr is not None
    for line in process.stderr:
        yield line
        if f": {stage}" in line:
            return


def check_what_is_left(
    process: subprocess.Popen[str], output: str, errors: str, folder: Path, expected: bool | None, code: int
) -> None:
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    stops = [line for line in errors.splitlines() if line.startswith("stopped by")]
    assert len(stops) == 1, errors
    weights = folder / "out" / "weights.json"
    assert weights.exists() == bool(output.strip())
    if expected is not None:
        assert weights.exists() is expected, errors
    if weights.exists():
        result = json.loads(output.splitlines()[-1])
        assert result["interrupted"] is True
        assert "best weights so far are kept" in stops[0]
        assert read_weights(weights).version == result["version"]
        with open_store(str(folder / "shop.lb")) as store:
            assert open_shop(store).weights.version == result["version"]
    else:
        assert "before there were weights" in stops[0]
    left = {p.name for p in folder.rglob("*")}
    assert not [name for name in left if name.startswith(".")]
    assert "lock" not in left


@pytest.mark.parametrize("stage", STAGES)
def test_ctrl_c_in_any_stage_keeps_what_there_is(run_file: Path, tmp_path: Path, stage: str) -> None:
    with started(run_file, stage) as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        output, errors = process.communicate(timeout=120)
    check_what_is_left(process, output, errors, tmp_path, STAGES[stage], 130)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda s: s.name)
def test_other_signals_end_it_in_the_same_way(run_file: Path, tmp_path: Path, number: signal.Signals) -> None:
    with started(run_file, "how people differ") as process:
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        output, errors = process.communicate(timeout=120)
    check_what_is_left(process, output, errors, tmp_path, True, 128 + number)
    assert json.loads(output.splitlines()[-1])["left_out"][0] == "how people differ"
    assert number.name in errors


@pytest.mark.parametrize("seed", range(4))
def test_ctrl_c_at_a_random_moment_leaves_all_or_nothing(run_file: Path, tmp_path: Path, seed: int) -> None:
    with started(run_file, "loading") as process:
        process.send_signal(signal.SIGCONT)
        time.sleep(random.Random(seed).uniform(0, 5))
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=120)
    if output and not json.loads(output.splitlines()[-1])["interrupted"]:
        # All was done and said: the signal met nothing but the end of the process, or came after it.
        assert process.returncode in (0, -signal.SIGINT)
        assert "Traceback" not in errors
    else:
        check_what_is_left(process, output, errors, tmp_path, None, 130)


def test_a_second_ctrl_c_ends_the_run_at_once(run_file: Path, tmp_path: Path) -> None:
    held = "import sys; from kgrank.graph.connect import open_store; s = open_store(sys.argv[1]); s.prepare()"
    with started(run_file, "prior means") as process:
        # The run has read the store, and will wait for this process to write its weights.
        holder = subprocess.Popen(
            [sys.executable, "-c", f"{held}; print('held', flush=True); input()", str(tmp_path / "shop.lb")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        process.send_signal(signal.SIGCONT)
        before = "".join(lines_until(process, "writing"))
        # Two signals that no instruction comes between are one to the process, hence more than two.
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
        output, errors = process.communicate(timeout=60)
        holder.kill()
        holder.communicate()
    assert process.returncode == 130, before + errors
    assert "Traceback" not in before + errors
    assert output == ""


def test_two_trainings_into_one_folder_exclude_each_other(run_file: Path, tmp_path: Path) -> None:
    with started(run_file, "loading") as process:
        second = subprocess.run(
            [*interruptible(MAIN), "train", "--config", str(run_file)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        process.kill()
    assert second.returncode == 2
    (line,) = [x for x in second.stderr.splitlines() if x.startswith("error")]
    assert (
        f"{tmp_path / 'out' / 'lock'}: another training writes into this folder: process {process.pid}"
        in line
    )
    assert "kgrank" not in second.stdout


def test_a_signal_within_a_finaliser_is_not_lost_and_prints_no_traceback() -> None:
    program = """
import os, signal
from kgrank import interrupts
class Finalised:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
with interrupts.heeding_signals():
    Finalised()
    try:
        interrupts.check()
    except KeyboardInterrupt:
        print("heeded")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("heeded\n", "", 0)
