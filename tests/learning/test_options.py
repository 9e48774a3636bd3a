"""The configuration of a run from files and options: what is wrong is named, with the place and the remedy."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path

import pytest
import yaml

from kgrank.errors import KgrankError
from kgrank.learning.configuration.config import NetworkConfig, PriorMeansConfig, RunConfig
from kgrank.learning.configuration.extras import PYTORCH
from kgrank.learning.configuration.options import parse
from kgrank.learning.run import run

ROOT = Path(__file__).parents[2]


class Blocked(MetaPathFinder):
    """Makes packages unavailable to a Python, as if they were not installed."""

    def __init__(self, packages: set[str]) -> None:
        self.packages = packages

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """No specification; the next finder is asked for other packages."""
        if name.partition(".")[0] in self.packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def run_without(blocked: set[str], program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command line in a Python that cannot import some packages."""
    head = f"import sys\nfrom importlib.abc import MetaPathFinder\n{inspect.getsource(Blocked)}"
    code = f"{head}\nsys.meta_path.insert(0, Blocked({blocked!r}))\n{program}"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )


TRAIN = "from train import main; sys.exit(main())"
KGRANK = "from kgrank.cli.main import main; main()"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(f"data: {{store: {tmp_path / 'none.lb'}}}\nout: {tmp_path / 'out'}\n")
    return path


def read(text: str, tmp_path: Path, *options: str) -> RunConfig:
    path = tmp_path / "run.yaml"
    path.write_text(f"data: {{store: shop.lb}}\nout: out\n{text}")
    return parse(["--config", str(path), *options], "train.py")


def error_of(text: str, tmp_path: Path, *options: str) -> str:
    with pytest.raises(KgrankError) as raised:
        read(text, tmp_path, *options)
    return raised.value.sentence()


def test_without_a_word_the_network_is_auto(tmp_path: Path) -> None:
    for text in ("", "network: auto"):
        assert read(text, tmp_path).network == NetworkConfig()
    assert read("", tmp_path).prior_means is None
    assert read("network: off", tmp_path).network is None


def test_a_block_gives_the_networks_options_and_the_command_line_overrides_it(tmp_path: Path) -> None:
    text = "network: {width: 8, decoded: 0, ridge: 1e1}"
    network = read(text, tmp_path, "--network.width", "4").network
    assert network == NetworkConfig(width=4, decoded=0, ridge=10.0)
    assert read(text, tmp_path, "--network", "off").network is None
    assert read(text, tmp_path, "--network", "auto").network == NetworkConfig(width=8, decoded=0, ridge=10.0)


def test_a_block_or_an_option_of_prior_means_turns_their_network_on(tmp_path: Path) -> None:
    text = "network: {prior_means: {width: 8, trainer: {max_epochs: 20}, optimizer: {lr: 1e-3}}}"
    trainer = "--network.prior_means.trainer.max_epochs=5"
    chosen = read(text, tmp_path, trainer, "--network.prior_means.width", "4").prior_means
    assert chosen is not None
    assert (chosen.width, chosen.optimizer.lr, chosen.trainer) == (4, 0.001, {"max_epochs": 5})
    assert read("network: {prior_means: {}}", tmp_path).prior_means == PriorMeansConfig()
    assert read("network: {prior_means: on}", tmp_path).prior_means == PriorMeansConfig()
    assert read("", tmp_path, "--network.prior_means.folds", "2").prior_means == PriorMeansConfig(folds=2)
    assert read(text, tmp_path, "--network.prior_means", "off").network == NetworkConfig()
    assert read(text, tmp_path, "--network", "off").network is None


@pytest.mark.parametrize(
    "network",
    [
        "network: {prior_means: {trainer: {precision: 32-true}}}",
        "network: {width: 8}",
        "network: auto",
        "network: off",
    ],
)
def test_a_printed_configuration_reads_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], network: str
) -> None:
    text = f"data: {{store: 7.lb, until: 2026-09-30, examination: [1, 0.5]}}\n{network}"
    with pytest.raises(SystemExit) as stopped:
        read(text, tmp_path, "--print_config")
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    again = tmp_path / "again.yaml"
    again.write_text(printed)
    config = parse(["--config", str(again)], "train.py")
    assert config == read(text, tmp_path)
    assert config.data.until == "2026-09-30"
    assert config.data.examination == (1.0, 0.5)


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("network: off", ["--network.width", "8"], ["network.width", "off", "network: auto"]),
        ("network: off", ["--network.prior_means.resume", "last"], ["resume", "off", "network: auto"]),
        ("", ["--network", "off", "--network.ridge", "8"], ["network.ridge", "off", "network: auto"]),
        ("network: {prior_means: maybe}", [], ["network.prior_means is 'maybe'", "off, on, or a block"]),
        ("network: {ridge: 0}", [], ["network.ridge is 0", "above 0"]),
        ("network: {layers: 0}", [], ["network.layers is 0", "1 or more"]),
        ("network: {decoded: -1}", [], ["network.decoded is -1", "0 or more"]),
        ("network: {logger: paper}", [], ["network.logger", "tensorboard or wandb or none"]),
        ("network: {widht: 8}", [], ["network.widht", "Did you mean network.width"]),
        ("seeed: 1", [], ["run.yaml", "seeed", "Did you mean seed"]),
        ("", ["--validation.shape", "1"], ["validation.shape", "Did you mean validation.share"]),
        ("network: on", [], ["'on'", "off, auto, or a block"]),
        ("network:", [], ["off, auto, or a block"]),
        ("seed: many", [], ["seed", "'many'", "a whole number"]),
        ("validation: {by: item}", [], ["validation.by", "time or person"]),
        ("network: {width: [1]}", [], ["network.width", "a whole number"]),
        ("people: maybe", [], ["people", "true or false"]),
        ("network: {prior_means: {dropout: nan}}", [], ["network.prior_means.dropout", "a number"]),
        ("a: b: c", [], ["run.yaml", "a YAML file"]),
        ("", ["stray"], ["stray"]),
        ("", ["--seed"], ["--seed", "--help"]),
    ],
)
def test_what_cannot_be_is_named_with_its_remedy(
    tmp_path: Path, text: str, options: list[str], words: list[str]
) -> None:
    error = error_of(text, tmp_path, *options)
    for word in words:
        assert word in error


@pytest.mark.parametrize(
    ("text", "present"),
    [
        ("model: {network: true}", "network.prior_means"),
        ("model: {width: 8}", "network.prior_means.width"),
        ("model: {people: false}", "people"),
        ("trainer: {max_epochs: 5}", "network.prior_means.trainer"),
        ("optimizer: {lr: 0.1}", "network.prior_means.optimizer.lr"),
        ("batch_size: 5", "network.prior_means.batch_size"),
        ("logger: none", "network.prior_means.logger"),
        ("resume: last", "network.prior_means.resume"),
        ("validation: {patience: 3}", "network.prior_means.patience"),
        ("network: {dropout: 0.1}", "network.prior_means.dropout"),
        ("network: {resume: last}", "network.prior_means.resume"),
        ("network: {trainer: {max_epochs: 5}}", "network.prior_means.trainer.max_epochs"),
        ("network: {optimizer: {lr: 0.1}}", "network.prior_means.optimizer.lr"),
    ],
)
def test_an_option_that_has_moved_is_named_with_its_present_place(
    tmp_path: Path, text: str, present: str
) -> None:
    assert f"expected {present}" in error_of(text, tmp_path)


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(KgrankError, match=r"data\.store is missing"):
        parse(["--out", "out"], "train.py")


@pytest.mark.parametrize("package", ["torch", "lightning"])
def test_a_network_that_is_not_installed_is_named_before_any_work(
    file: Path, tmp_path: Path, package: str
) -> None:
    done = run_without({package}, TRAIN, "--config", str(file), "--network", "auto", "--network.width", "8")
    assert done.returncode == 2, done.stderr
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    for word in ("network.width", "`network`", package, PYTORCH, "pip install 'kgrank[network]'"):
        assert word in error
    file.write_text(file.read_text() + "network: {width: 8}\n")
    done = run_without({package}, TRAIN, "--config", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert PYTORCH in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run.yaml"], "nothing is written"


def test_without_the_extra_a_run_trains_the_closed_form_and_says_so(config_file: Path, out: Path) -> None:
    settings = yaml.safe_load(config_file.read_text())
    settings["network"] = "auto"
    config_file.write_text(yaml.safe_dump(settings))
    done = run_without({"torch", "lightning"}, TRAIN, "--config", str(config_file))
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if "network" in line]
    assert "network: auto is off" in line
    assert (out / "weights.json").is_file()
    assert yaml.safe_load((out / "config.yaml").read_text())["network"] == "auto"


@pytest.mark.parametrize(
    ("logger", "package", "extra"), [("wandb", "wandb", "wandb"), ("tensorboard", "tensorboard", "network")]
)
def test_a_logger_that_is_not_installed_is_named_before_any_work(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logger: str, package: str, extra: str
) -> None:
    # Lightning is imported by then, which takes seconds in a process of its own.
    monkeypatch.setattr(sys, "meta_path", [Blocked({package}), *sys.meta_path])
    monkeypatch.delitem(sys.modules, package, raising=False)
    for block in (f"network: {{logger: {logger}}}\n", f"network: {{prior_means: {{logger: {logger}}}}}\n"):
        file.write_text(file.read_text().partition("network")[0] + block)
        with pytest.raises(KgrankError) as raised:
            run(parse(["--config", str(file)], "train.py"))
        assert f"`{extra}`" in raised.value.sentence()
    assert [path.name for path in tmp_path.iterdir()] == ["run.yaml"], "nothing is written"


@pytest.mark.parametrize("package", ["optuna", "torch"])
def test_a_search_that_is_not_installed_is_named_before_any_work(
    file: Path, tmp_path: Path, package: str
) -> None:
    done = run_without({package}, KGRANK, "tune", "--config", str(file))
    assert done.returncode == 2, done.stderr
    assert package in done.stderr
    assert "pip install 'kgrank[" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run.yaml"], "nothing is written"


@pytest.mark.parametrize(
    ("trainer", "word"),
    [
        ("{max_epoch: 5}", "Did you mean network.prior_means.trainer.max_epochs"),
        ("{max_epochs: many}", "max_epochs"),
        ("{accelerator: abacus}", "abacus"),
        ("{enable_progress_bar: false}", "set by the run itself"),
    ],
)
def test_a_wrong_option_of_the_trainer_is_named_before_any_work(
    file: Path, tmp_path: Path, trainer: str, word: str
) -> None:
    file.write_text(file.read_text() + f"network: {{prior_means: {{trainer: {trainer}}}}}\n")
    with pytest.raises(KgrankError) as raised:
        run(parse(["--config", str(file)], "train.py"))
    assert word in raised.value.sentence()
    assert [path.name for path in tmp_path.iterdir()] == ["run.yaml"], "nothing is written"


def test_a_run_says_its_stages_and_their_seconds_and_quiet_says_nothing(config_file: Path) -> None:
    loud = run_without(set(), TRAIN, "--config", str(config_file), "--network", "off")
    assert loud.returncode == 0, loud.stderr
    begun = [
        line.split(":")[0] for line in loud.stderr.splitlines() if ": " in line and line.startswith("stage")
    ]
    assert begun == [f"stage {number} of {len(begun)}" for number in range(1, len(begun) + 1)]
    assert sum(" took " in line for line in loud.stderr.splitlines()) == len(begun)
    assert len(loud.stdout.splitlines()) == 1
    quiet = run_without(set(), TRAIN, "--config", str(config_file), "--network", "off", "--quiet")
    assert quiet.returncode == 0
    assert [line for line in quiet.stderr.splitlines() if not line.startswith("warning: ")] == []
    assert len(quiet.stdout.splitlines()) == 1
