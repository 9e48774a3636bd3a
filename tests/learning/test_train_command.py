"""``python train.py`` as a user and a script meet it: files, last line, exit codes, resume, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
import pytest
import torch
import yaml
from generated_shop import ontology, without_rules
from interruptible import interruptible

from kgrank.choice.importance import importance
from kgrank.choice.rules.stored import category_posteriors
from kgrank.choice.rules.weigh import weigh
from kgrank.graph.build import build_graph
from kgrank.graph.connect import open_store
from kgrank.graph.sync import load
from kgrank.ingest.clean import ingest
from kgrank.ranking import open_shop, rank
from kgrank.weights.artefact import read_weights
from kgrank.weights.posteriors import served_posteriors
from train import main

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "WANDB_MODE": "offline", "WANDB_SILENT": "true"}


@dataclass(frozen=True)
class Done:
    """What a finished command leaves: its exit code, output and messages."""

    returncode: int
    stdout: str
    stderr: str


Train = Callable[..., Done]


@pytest.fixture
def run_train(config_file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Train:
    """``python train.py --config …`` within this process, which has torch already."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    def run(*options: str, config: Path = config_file) -> Done:
        capfd.readouterr()
        try:
            code = main(["--config", str(config), *options])
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Done(code, *capfd.readouterr())

    return run


def error_of(done: Done) -> str:
    """The one error of a run that could not start."""
    assert done.returncode == 2, done.stderr
    assert done.stdout.strip() == ""
    (line,) = [x for x in done.stderr.splitlines() if x.startswith("error: ")]
    return line


def test_a_run_leaves_weights_settings_logs_and_checkpoints_and_serves_its_weights(
    config_file: Path, out: Path, store: Path
) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "train.py"), "--config", str(config_file),
         "--network.prior_means.optimizer.lr", "0.03"],
        capture_output=True, text=True, env={**os.environ, **ENVIRONMENT}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert Path(said["weights"]) == out / "weights.json"
    assert said["interrupted"] is False
    weights = read_weights(out / "weights.json")
    assert weights.version == said["version"]
    settings = yaml.safe_load((out / "config.yaml").read_text())
    assert settings["network"]["prior_means"]["optimizer"]["lr"] == 0.03
    assert settings["network"]["prior_means"]["optimizer"]["name"] == "adamw", (
        "what was not said is there too"
    )
    assert list((out / "logs").rglob("events.out.tfevents.*"))
    assert (out / "checkpoints" / "last.ckpt").is_file()
    with open_store(str(store)) as opened:
        shop = open_shop(opened)
    assert shop.weights.version == weights.version
    assert len(rank(shop, "dresses", limit=3)) == 3


def test_what_is_kept_of_the_choices_gives_the_served_shares_again(run_train: Train, store: Path) -> None:
    assert run_train().returncode == 0
    with open_store(str(store)) as opened:
        shop = open_shop(opened)
        found = served_posteriors(opened, shop.weights)
    again = weigh(shop.ontology, category_posteriors(found.categories), found.seed)
    for name, draws in again.draws.items():
        shares = importance(again.layouts[name], draws.mean(0))
        served = [a.share for a in shop.weights.categories[name].attributes]
        assert served == pytest.approx(shares, abs=1e-6)


def test_the_saved_settings_run_again(run_train: Train, out: Path) -> None:
    assert run_train("--seed", "3").returncode == 0
    before = read_weights(out / "weights.json")
    done = run_train(config=out / "config.yaml")
    assert done.returncode == 0, done.stderr
    assert read_weights(out / "weights.json").categories == before.categories


def test_weights_and_biases_logs_offline_by_one_option(run_train: Train, out: Path) -> None:
    done = run_train("--network.prior_means.logger", "wandb")
    assert done.returncode == 0, done.stderr
    assert list(out.rglob("*.wandb"))
    assert json.loads(done.stdout.splitlines()[-1])["interrupted"] is False


def epoch_of(checkpoint: Path) -> int:
    return int(torch.load(checkpoint, weights_only=True)["epoch"])


def test_a_run_goes_on_from_its_last_checkpoint(run_train: Train, out: Path) -> None:
    last = out / "checkpoints" / "last.ckpt"
    assert run_train().returncode == 0
    assert epoch_of(last) == 1
    done = run_train("--network.prior_means.resume", "last", "--network.prior_means.trainer.max_epochs", "4")
    assert done.returncode == 0, done.stderr
    assert epoch_of(last) == 3


def test_a_graph_above_the_limit_trains_by_samples_of_neighbours(run_train: Train) -> None:
    def loss(*options: str) -> float:
        done = run_train("--network.prior_means.trainer.max_epochs", "6", *options)
        assert done.returncode == 0, done.stderr
        return float(json.loads(done.stdout.splitlines()[-1])["network_val_loss"])

    sampled = loss("--network.prior_means.sample_above", "0", "--network.prior_means.fanout", "3")
    assert sampled == pytest.approx(loss(), abs=0.03)


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_mixed_precision_learns_what_single_precision_learns(run_train: Train, precision: str) -> None:
    def marks(*options: str) -> dict[str, float]:
        done = run_train("--network.prior_means.trainer.max_epochs", "6", *options)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))

    half, single = marks("--network.prior_means.trainer.precision", precision), marks()
    assert half["network_val_loss"] == pytest.approx(single["network_val_loss"], abs=0.02)
    assert half["network_val_loss"] != single["network_val_loss"], "half precision is in use"
    assert half["held_out_log_likelihood"] == pytest.approx(single["held_out_log_likelihood"], abs=0.02)


def learned(path: Path) -> list[str]:
    """The lines of a weights file but those that name the moment."""
    moments = ('"checksum"', '"version"', '"created"')
    return [x for x in path.read_text().splitlines() if not x.strip().startswith(moments)]


@pytest.mark.parametrize(
    ("epochs", "options"),
    [
        (3, []),
        (
            12,
            [
                "--network.prior_means.patience",
                "1",
                "--network.prior_means.optimizer.lr",
                "1",
                "--network.prior_means.optimizer.schedule",
                "constant",
            ],
        ),
    ],
    ids=["to the last epoch", "until patience is spent"],
)
def test_a_killed_run_that_is_gone_on_with_ends_as_one_never_stopped(
    run_train: Train, config_file: Path, tmp_path: Path, epochs: int, options: list[str]
) -> None:
    options = ["--network.prior_means.trainer.max_epochs", str(epochs), *options]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert run_train("--out", str(whole), *options).returncode == 0
    line = [sys.executable, str(ROOT / "train.py"), "--config", str(config_file), "--out", str(cut), *options]
    with subprocess.Popen(line, env={**os.environ, **ENVIRONMENT}, stderr=subprocess.DEVNULL) as process:
        last = cut / "checkpoints" / "last.ckpt"
        while not last.is_file() and process.poll() is None:
            time.sleep(0.01)
        process.kill()
    assert run_train("--out", str(cut), "--network.prior_means.resume", "last", *options).returncode == 0
    assert learned(cut / "weights.json") == learned(whole / "weights.json")


def test_a_finished_run_that_is_gone_on_with_gives_the_same_weights(run_train: Train, out: Path) -> None:
    assert run_train().returncode == 0
    before = learned(out / "weights.json")
    assert run_train("--network.prior_means.resume", "last").returncode == 0
    assert learned(out / "weights.json") == before


def test_resuming_without_a_checkpoint_is_an_error(run_train: Train, out: Path) -> None:
    assert "there is no such checkpoint" in error_of(run_train("--network.prior_means.resume", "last"))
    assert not (out / "weights.json").exists()


def test_going_on_without_a_network_is_an_error(run_train: Train, out: Path) -> None:
    error = error_of(run_train("--network", "off", "--network.prior_means.resume", "last"))
    assert "network.prior_means.resume is set, but the network is off" in error
    assert "network: auto" in error
    assert not (out / "weights.json").exists()


def test_without_a_network_a_run_trains_nothing_and_no_seed_changes_its_weights(
    run_train: Train, out: Path
) -> None:
    found = []
    for seed in ("0", "1"):
        assert run_train("--network", "off", "--seed", seed).returncode == 0
        found.append(read_weights(out / "weights.json"))
    assert not (out / "checkpoints").exists()
    for category, one in found[0].categories.items():
        other = {a.attribute: a.share for a in found[1].categories[category].attributes}
        assert {a.attribute: a.share for a in one.attributes} == pytest.approx(other, abs=1e-3), category


def test_a_checkpoint_of_another_ontology_is_refused(
    run_train: Train, out: Path, store: Path, files: Path
) -> None:
    assert run_train().returncode == 0
    before = (out / "weights.json").read_bytes()
    with open_store(str(store)) as opened:
        load(opened, build_graph(ingest(files, ontology=without_rules())))
    text = error_of(
        run_train("--network.prior_means.resume", "last", "--network.prior_means.trainer.max_epochs", "4")
    )
    assert ontology().fingerprint in text
    assert without_rules().fingerprint in text
    assert (out / "weights.json").read_bytes() == before


def test_a_checkpoint_of_another_model_is_refused(run_train: Train, out: Path) -> None:
    assert run_train().returncode == 0
    text = error_of(
        run_train(
            "--network.prior_means.resume=last",
            "--network.prior_means.width=16",
            "--network.prior_means.trainer.max_epochs=4",
        )
    )
    assert "another model" in text


def test_a_file_that_is_no_checkpoint_is_refused(run_train: Train, out: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.ckpt").write_bytes(b"not a checkpoint")
    assert "broken.ckpt" in error_of(run_train("--network.prior_means.resume", str(tmp_path / "broken.ckpt")))
    assert not (out / "weights.json").exists()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--optimiser.lr", "1"], "optimiser"),
        (["--network.prior_means.optimizer.name", "lion"], "lion"),
        (["--network.prior_means.trainer.max_epochs", "many"], "max_epochs"),
        (["--data.until", "yesterday"], "data.until"),
        (["--data.store", "nowhere.lb"], "nowhere.lb"),
        (["--data.folder", "nowhere"], "nowhere"),
        (["--validation.share", "1.5"], "share"),
        (["--network.prior_means.trainer.accelerator", "abacus"], "abacus"),
        (["--network.prior_means.optimizer.lr", "-1"], "network.prior_means.optimizer.lr"),
        (["--network.prior_means.batch_size", "0"], "batch_size"),
        (["--network.prior_means.trainer.precision", "bf16-true"], "bf16-mixed"),
        (["--network.prior_means.dropout", "1"], "network.prior_means.dropout"),
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
    ],
    ids=lambda x: x[0] if isinstance(x, list) else "",
)
def test_a_wrong_option_is_one_error_and_writes_nothing(
    run_train: Train, out: Path, options: list[str], word: str
) -> None:
    done = run_train(*options)
    assert done.returncode == 2, done.stderr
    assert word in done.stderr
    assert not (out / "weights.json").exists()


def test_an_empty_store_is_an_error(run_train: Train, out: Path, tmp_path: Path) -> None:
    with open_store(str(tmp_path / "empty.lb")) as opened:
        opened.prepare()
    text = error_of(run_train("--data.store", str(tmp_path / "empty.lb")))
    assert "kgrank load" in text
    assert not out.exists()


def test_a_store_that_another_process_has_open_is_an_error(
    run_train: Train, out: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Half a minute, were it for a user.
    monkeypatch.setattr("kgrank.learning.run.open_store", partial(open_store, wait=0.5))
    code = "import sys; from kgrank.graph.connect import open_store\n"
    code += "with open_store(sys.argv[1]): print('open', flush=True); sys.stdin.read()"
    line = [sys.executable, "-c", code, str(store)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        text = error_of(run_train())
    assert str(store) in text
    assert not out.exists()


def test_a_log_without_a_choice_is_an_error(run_train: Train, out: Path, store: Path) -> None:
    with open_store(str(store)) as opened:
        opened.delete_edges("INTERACTED", opened.edges("INTERACTED"))
    assert "not one choice" in error_of(run_train())
    assert not (out / "weights.json").exists()


def test_events_after_data_until_are_not_read(run_train: Train, out: Path, store: Path) -> None:
    with open_store(str(store)) as opened:
        early = opened.edges("INTERACTED").filter(pl.col("time") <= 1771545600)  # 2026-02-20
    assert run_train("--data.until", "2026-02-20").returncode == 0
    cut = read_weights(out / "weights.json")
    lists = early.filter(pl.col("kind") == "impression")["list"].n_unique()
    assert cut.metrics["held_out_choices"] < 0.3 * lists
    assert sum(cut.categories[c].choice_count for c in ("clothing", "shoes")) == lists


@pytest.fixture
def endless(config_file: Path) -> Iterator[subprocess.Popen[str]]:
    """A run of a million epochs."""
    options = [
        "--network.prior_means.trainer.max_epochs",
        "1000000",
        "--network.prior_means.patience",
        "1000000",
    ]
    script = f"import runpy; runpy.run_path({str(ROOT / 'train.py')!r}, run_name='__main__')"
    process = subprocess.Popen(
        [*interruptible(script), "--config", str(config_file), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **ENVIRONMENT},
    )
    yield process
    process.kill()
    process.wait()


def test_ctrl_c_keeps_the_best_weights_and_says_so(endless: subprocess.Popen[str], out: Path) -> None:
    last = out / "checkpoints" / "last.ckpt"
    limit = time.monotonic() + 60
    while not last.is_file() and time.monotonic() < limit:
        time.sleep(0.1)
    endless.send_signal(signal.SIGINT)
    output, errors = endless.communicate(timeout=60)
    assert endless.returncode == 130, errors
    assert "Ctrl-C" in errors
    assert "best weights" in errors
    assert "Traceback" not in errors
    assert json.loads(output.splitlines()[-1])["interrupted"] is True
    assert read_weights(out / "weights.json").categories
