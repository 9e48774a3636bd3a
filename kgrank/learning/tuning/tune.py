"""A search for better settings of a run, marked on its held-out choices; Optuna proposes, a journal remembers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import yaml
from filelock import FileLock, Timeout
from optuna.trial import FrozenTrial, TrialState, create_trial
from scipy.stats import norm

from kgrank.errors import InputError, RunError
from kgrank.graph.connect import open_store
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.config import RunConfig
from kgrank.learning.held_out import evaluate
from kgrank.learning.interrupt import heeding_ctrl_c
from kgrank.learning.network.prior_means import DivergedError, folds
from kgrank.learning.run import read_data
from kgrank.learning.shop import TrainingData, read_training_data
from kgrank.learning.tuning.space import Setting, Value, applied, fits, value_of
from kgrank.learning.tuning.study import (
    STAGES,
    best_of,
    distribution,
    finished_trials,
    importance_of,
    open_study,
    stages_of,
    stored,
)
from kgrank.learning.tuning.trials import Score, gain, run_trial
from kgrank.ontology.model import Ontology

HOPELESS = 2.0
"""A try is given up when it is this many standard errors behind the best one, on the categories it has done."""

RANDOM = 5
"""Tries drawn from the ranges before the sampler leans on what was found."""

BEST = "best.yaml"

Report = Callable[[str], None]
"""What is being done, in words."""


@dataclass(frozen=True)
class Budget:
    """Tries in all, earlier ones of the same search included, and minutes after which no new one begins."""

    trials: int
    minutes: float | None = None

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise InputError(f"--trials is {self.trials}", expected="1 or more")
        if self.minutes is not None and not self.minutes > 0:
            raise InputError(f"--minutes is {self.minutes}", expected="above 0")


@dataclass(frozen=True)
class TuningProblem:
    """What every try is about."""

    graph: KnowledgeGraph
    ontology: Ontology
    shop: TrainingData
    config: RunConfig
    space: tuple[Setting, ...]


@dataclass(frozen=True)
class Trial:
    """One configuration and how it did.

    Attributes:
        number: 0 is the configuration as it stands.
        settings: The searched settings.
        outcome: ``whole``, ``hopeless`` (given up after some folds) or ``diverged``.
        log_likelihood: Of a held-out choice; of a hopeless try on the categories it had done; None if it diverged.
        gain: Over try 0 on the same choices, with its standard error; None unless the try is whole.
    """

    number: int
    settings: Mapping[str, Value]
    outcome: str
    log_likelihood: float | None
    gain: float | None
    standard_error: float | None
    seconds: float


@dataclass(frozen=True)
class TuningResult:
    """What a search found.

    Attributes:
        trials: All, in order.
        best: The whole try with the highest log-likelihood.
        by_chance: What the best gain would be about if no setting mattered: the expected largest of that many
            independent noises of the best try's standard error (Blom 1958). Tries are alike, so it is high rather
            than low.
        importance: Share of each setting in the differences (PED-ANOVA); empty below five whole tries.
        choices: Held-out choices.
        config: The file with the best configuration.
        interrupted: Whether Ctrl-C ended it.
    """

    trials: tuple[Trial, ...]
    best: Trial
    by_chance: float
    importance: Mapping[str, float]
    choices: int
    config: Path
    interrupted: bool


def tune(
    config: RunConfig,
    space: Sequence[Setting],
    budget: Budget,
    folder: Path,
    report: Report,
    progress: Callable[[int, int], None] = lambda done, all_: None,
) -> TuningResult | None:
    """Searches, or goes on with the search that ``folder`` holds; writes ``best.yaml`` at every improvement.

    Args:
        config: The configuration as it stands: try 0, and what every try changes.
        space: What may change, and how far.
        budget: Where to stop.
        folder: Holds ``tries.journal`` and ``best.yaml``.
        report: What is being done, in words.
        progress: How many tries of how many are done.

    Returns:
        What was found; None where Ctrl-C came before try 0 was done.

    Raises:
        InputError: A range that the configuration refuses; no choice is held out; one category only.
        RunError: The folder holds another search, or one that is at work.
    """
    fits(space, config)
    if not config.model.network and "model.network" not in {s.name for s in space}:
        raise InputError(
            "model.network is false, so that no other setting matters",
            where="--over",
            expected="model.network=false,true among what is searched",
            todo="Add it, or --model.network true.",
        )
    store = open_store(config.data.store)
    try:
        graph, ontology = read_data(store, config.data, report)
    finally:
        store.close()
    shop = read_training_data(graph, ontology, config.seed, config.data.examination or ())
    subject = TuningProblem(graph, ontology, shop, config, tuple(space))
    choices = _held_out(subject)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "lock").acquire(timeout=0):
            study = open_study(folder, _about(subject, choices))
            with heeding_ctrl_c(report) as heard:
                interrupted = _search(study, subject, budget, folder / BEST, heard, progress)
            return _result(study, subject, choices, folder / BEST, interrupted)
    except Timeout:
        raise RunError(
            "another search is at work here", where=folder, todo="Wait for it, or give another --out."
        ) from None


def _held_out(subject: TuningProblem) -> int:
    """The number of held-out choices, where there is something to search for."""
    config = subject.config
    if len(folds(subject.ontology, list(subject.shop.own_choices), config.model.folds)) < 2:
        raise InputError(
            "all choices are of one category or fold, and no setting of the network reaches its weights",
            where=config.data.store,
            expected="choices in two categories or more, and model.folds of 2 or more",
            todo="Train as it stands.",
        )
    count = len(evaluate(subject.shop, {}, config))
    if count == 0:
        raise InputError(
            "no choice is held out", where="validation.share", expected="above 0", todo="Set it to 0.1."
        )
    return count


def _about(subject: TuningProblem, choices: int) -> dict[str, Any]:
    """What makes two searches the same, as JSON."""
    settings = asdict(subject.config)
    for name in ("out", "logger", "resume"):
        del settings[name]
    about = {
        **{f"{part} (configuration)": value for part, value in settings.items()},
        "--over": [str(s) for s in subject.space],
        "ontology": subject.ontology.fingerprint,
        "choices": len(subject.shop.log.heads),
        "held-out choices": choices,
    }
    return dict(json.loads(json.dumps(about, default=str)))


def _search(
    study: optuna.Study,
    subject: TuningProblem,
    budget: Budget,
    best: Path,
    report: Report,
    progress: Callable[[int, int], None],
) -> bool:
    """Tries until the budget is spent; True if the user stopped it."""
    began = time.monotonic()
    while (count := len(finished_trials(study))) < budget.trials:
        progress(count, budget.trials)
        late = budget.minutes is not None and time.monotonic() - began > 60 * budget.minutes
        if late and count:
            break
        try:
            if count == 0:
                _as_it_stands(study, subject, report)
            else:
                _propose(study, subject, count, report)
        except KeyboardInterrupt:
            return True
        found = best_of(study)
        if found.number == finished_trials(study)[-1].number:
            _write(subject, found, best)
    progress(len(finished_trials(study)), budget.trials)
    return False


def _as_it_stands(study: optuna.Study, subject: TuningProblem, report: Report) -> None:
    """Try 0. What of it lies outside the ranges is no proposal, so the sampler does not learn from that."""
    began = time.monotonic()
    own = {s.name: value_of(subject.config, s.name) for s in subject.space}
    within = {s.name: distribution(s) for s in subject.space if own[s.name] in s}
    stages = list(_stages(subject, own, report))
    study.add_trial(
        create_trial(
            value=stages[-1].mean,
            params={name: own[name] for name in within},
            distributions=within,
            user_attrs={"settings": own, STAGES: stored(stages), "seconds": time.monotonic() - began},
        )
    )


def _propose(study: optuna.Study, subject: TuningProblem, count: int, report: Report) -> None:
    """A try that the sampler proposes."""
    began = time.monotonic()
    # Seeded by what is done, so that a search that was cut off goes on as it would have.
    study.sampler = optuna.samplers.TPESampler(seed=subject.config.seed + count, n_startup_trials=RANDOM)
    trial = study.ask({s.name: distribution(s) for s in subject.space})
    trial.set_user_attr("settings", trial.params)
    leader = stages_of(best_of(study))
    stages: list[Score] = []
    outcome = TrialState.COMPLETE
    try:
        for stage in _stages(subject, trial.params, report):
            stages.append(stage)
            trial.report(stage.mean, len(stages) - 1)
            if _hopeless(stages, leader):
                outcome = TrialState.PRUNED
                break
    except DivergedError:
        outcome = TrialState.PRUNED
        stages = []
    trial.set_user_attr(STAGES, stored(stages))
    trial.set_user_attr("seconds", time.monotonic() - began)
    study.tell(trial, stages[-1].mean if outcome is TrialState.COMPLETE else None, state=outcome)


def _stages(subject: TuningProblem, settings: Mapping[str, Value], report: Report) -> Iterator[Score]:
    config = applied(subject.config, settings)
    silent = replace(config, resume=None, trainer={**config.trainer, "enable_progress_bar": False})
    return run_trial(subject.graph, subject.ontology, subject.shop, silent, report)


def _hopeless(stages: Sequence[Score], leader: Sequence[Score]) -> bool:
    """Whether a try is behind the best one on what both have done by more than noise."""
    at = len(stages) - 1
    if at >= len(leader) - 1 or not np.array_equal(stages[at].choices, leader[at].choices):
        return False
    behind, error = gain(stages[at], leader[at])
    return behind < -HOPELESS * error


def _write(subject: TuningProblem, best: FrozenTrial, path: Path) -> None:
    """The best configuration as a file that train.py runs as it stands; whole, or as it was before."""
    settings = asdict(applied(subject.config, best.user_attrs["settings"]))
    text = f"# Found by kgrank tune: python train.py --config {path}\n"
    text += yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    beside = path.with_suffix(".part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _result(
    study: optuna.Study, subject: TuningProblem, choices: int, best: Path, interrupted: bool
) -> TuningResult | None:
    """The search so far; None where not one try is done."""
    ended = finished_trials(study)
    if not ended:
        return None
    first = stages_of(ended[0])[-1]
    tries = tuple(_try(number, trial, first) for number, trial in enumerate(ended))
    leader = next(t for t, trial in zip(tries, ended, strict=True) if trial.number == best_of(study).number)
    others = len(tries) - 1
    # Blom's approximation of the expected largest of that many standard normals.
    largest = float(norm.ppf((others - 0.375) / (others + 0.25))) if others > 1 else 0.0
    by_chance = largest * (leader.standard_error or 0.0)
    return TuningResult(tries, leader, by_chance, importance_of(study), choices, best, interrupted)


def _try(number: int, trial: FrozenTrial, first: Score) -> Trial:
    stages = stages_of(trial)
    whole = trial.state is TrialState.COMPLETE
    above, error = gain(stages[-1], first) if whole else (None, None)
    return Trial(
        number,
        trial.user_attrs["settings"],
        "whole" if whole else "hopeless" if stages else "diverged",
        stages[-1].mean if stages else None,
        above,
        error,
        round(trial.user_attrs["seconds"], 1),
    )
