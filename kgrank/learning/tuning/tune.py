"""A search for better settings of a run, scored on its held-out choices; Optuna proposes, a journal stores."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import optuna
import yaml
from optuna.trial import FrozenTrial, TrialState, create_trial

from kgrank import interrupts
from kgrank.documents import load_json
from kgrank.errors import InputError
from kgrank.files import write_text
from kgrank.graph.connect import open_store
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.configuration.config import PriorMeansConfig, RunConfig
from kgrank.learning.configuration.extras import require_network
from kgrank.learning.evaluation import evaluate
from kgrank.learning.folds import folds
from kgrank.learning.prior_means import DivergedError
from kgrank.learning.reporting.interrupt import HeedingProgress
from kgrank.learning.reporting.only_run import only_run
from kgrank.learning.reporting.progress import NO_PROGRESS, Progress
from kgrank.learning.run import read_data
from kgrank.learning.training_data import TrainingData, read_training_data
from kgrank.learning.tuning.space import SWITCH, Setting, Value, applied, check_ranges, value_of
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
"""Standard errors behind the best try, on the folds done so far, at which a try is given up."""

RANDOM = 5
"""Tries drawn evenly from the ranges before the sampler uses earlier results."""

BEST = "best.yaml"


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
    """What all tries of a search share."""

    graph: KnowledgeGraph
    ontology: Ontology
    shop: TrainingData
    config: RunConfig
    space: tuple[Setting, ...]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One configuration and its score.

    Attributes:
        number: 0 is the configuration as it is given.
        settings: The searched settings.
        outcome: ``whole``, ``hopeless`` (given up after some folds) or ``diverged``.
        log_likelihood: Of a held-out choice; of a hopeless try on the categories it had done; None if it diverged.
        gain: Over try 0 on the same choices; None unless the try is whole.
        standard_error: Of the gain.
        seconds: Time that the try took.
    """

    number: int
    settings: Mapping[str, Value]
    outcome: str
    log_likelihood: float | None
    gain: float | None
    standard_error: float | None
    seconds: float


@dataclass(frozen=True, kw_only=True)
class TuningResult:
    """The result of a search.

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
    progress: Progress = NO_PROGRESS,
) -> TuningResult | None:
    """Searches, or resumes the search that ``folder`` holds; writes ``best.yaml`` at every improvement.

    Args:
        config: The configuration as it is given: try 0, and what every try changes.
        space: The settings that may change, and their ranges.
        budget: When to stop.
        folder: Holds ``tries.journal`` and ``best.yaml``.
        progress: Receives each try.

    Returns:
        The result; None where Ctrl-C came before try 0 was done.

    Raises:
        InputError: A range that the configuration refuses; no choice is held out; one category only.
        RunError: The folder holds another search, or one that is running; an extra is missing.
    """
    _check(space, config)
    with open_store(config.data.store) as store:
        graph, ontology = read_data(store, config.data, progress)
    shop = read_training_data(graph, ontology, config.seed, config.data.examination or ())
    problem = TuningProblem(graph, ontology, shop, config, tuple(space))
    choices = _held_out(problem)
    with only_run(folder, "search"):
        study = open_study(folder, _identity(problem, choices))
        interrupted = _search(study, problem, budget, folder / BEST, HeedingProgress(progress))
        return _result(study, choices, folder / BEST, interrupted)


def _check(space: Sequence[Setting], config: RunConfig) -> None:
    """Refuses, before any work, a search that cannot run or that no result depends on."""
    switches = {value for setting in space if setting.name == SWITCH for value in setting.values}
    if config.prior_means is None and "on" not in switches:
        raise InputError(
            "the network of prior means is off, so that no other setting matters",
            where="--over",
            expected="network.prior_means=off,on among what is searched",
            todo="Add it, or --network.prior_means on.",
        )
    check_ranges(space, config)
    require_network()
    from kgrank.learning.network.prior_means import network_settings

    network_settings(config)


def _folds(config: RunConfig, settings: Mapping[str, Value]) -> int:
    """Folds of a try, which a try without a network needs too: its score must be comparable."""
    return int(settings.get("network.prior_means.folds", (config.prior_means or PriorMeansConfig()).folds))


def _held_out(problem: TuningProblem) -> int:
    """The number of held-out choices, where a search can make a difference."""
    config = problem.config
    if len(folds(problem.ontology, list(problem.shop.own_choices), _folds(config, {}))) < 2:
        raise InputError(
            "all choices are of one category or fold, so that its weights depend on no setting of the network",
            where=config.data.store,
            expected="choices in two categories or more, and network.prior_means.folds of 2 or more",
            todo="Train with the configuration as it is.",
        )
    count = len(evaluate(problem.shop, {}, config.validation, config.seed))
    if count == 0:
        raise InputError(
            "no choice is held out", where="validation.share", expected="above 0", todo="Set it to 0.1."
        )
    return count


def _identity(problem: TuningProblem, choices: int) -> dict[str, Any]:
    """What makes two searches the same, as JSON."""
    settings = problem.config.document()
    del settings["out"]
    if problem.config.prior_means is not None:
        del settings["network"]["prior_means"]["logger"], settings["network"]["prior_means"]["resume"]
    identity = {
        **{f"{part} (configuration)": value for part, value in settings.items()},
        "--over": [str(s) for s in problem.space],
        "ontology": problem.ontology.fingerprint,
        "choices": len(problem.shop.log.heads),
        "held-out choices": choices,
    }
    return dict(load_json(json.dumps(identity, default=str)))


def _search(
    study: optuna.Study, problem: TuningProblem, budget: Budget, best: Path, progress: Progress
) -> bool:
    """Tries until the budget is spent; True if the user stopped it."""
    began = time.monotonic()
    seconds: list[float] = []
    while (count := len(finished_trials(study))) < budget.trials:
        progress.step("tries", count, budget.trials)
        late = budget.minutes is not None and time.monotonic() - began > 60 * budget.minutes
        if late and count:
            break
        started = time.monotonic()
        try:
            if count == 0:
                _try_given_configuration(study, problem, progress)
            else:
                _try_proposal(study, problem, count, progress)
        except KeyboardInterrupt:
            interrupts.acknowledge()
            return True
        seconds.append(time.monotonic() - started)
        progress.note(_timing(count + 1, budget, seconds, time.monotonic() - began))
        leader = best_of(study)
        if leader.number == finished_trials(study)[-1].number:
            _write(problem, leader, best)
    progress.step("tries", len(finished_trials(study)), budget.trials)
    return False


def _timing(done: int, budget: Budget, seconds: Sequence[float], spent: float) -> str:
    """Seconds of the last try, and an estimate for the rest from two tries on."""
    text = f"try {done} of {budget.trials} took {seconds[-1]:.1f} s"
    rest = (budget.trials - done) * sum(seconds) / len(seconds)
    if budget.minutes is not None:
        rest = min(rest, max(60 * budget.minutes - spent, 0.0))
    return f"{text}; about {rest:.0f} s left" if len(seconds) > 1 and rest > 0 else text


def _try_given_configuration(study: optuna.Study, problem: TuningProblem, progress: Progress) -> None:
    """Try 0. Values of it outside the ranges are no proposal, so the sampler does not learn from them."""
    began = time.monotonic()
    settings = {s.name: value_of(problem.config, s.name) for s in problem.space}
    within = {s.name: distribution(s) for s in problem.space if settings[s.name] in s}
    stages = list(_stages(problem, settings, progress))
    study.add_trial(
        create_trial(
            value=stages[-1].mean,
            params={name: settings[name] for name in within},
            distributions=within,
            user_attrs={"settings": settings, STAGES: stored(stages), "seconds": time.monotonic() - began},
        )
    )


def _try_proposal(study: optuna.Study, problem: TuningProblem, count: int, progress: Progress) -> None:
    """A try that the sampler proposes."""
    began = time.monotonic()
    # Seeded by the number of tries, so that a search that was cut off continues as it would have.
    study.sampler = optuna.samplers.TPESampler(seed=problem.config.seed + count, n_startup_trials=RANDOM)
    trial = study.ask({s.name: distribution(s) for s in problem.space})
    trial.set_user_attr("settings", trial.params)
    leader = stages_of(best_of(study))
    stages: list[Score] = []
    outcome = TrialState.COMPLETE
    try:
        for stage in _stages(problem, trial.params, progress):
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


def _stages(problem: TuningProblem, settings: Mapping[str, Value], progress: Progress) -> Iterator[Score]:
    config = applied(problem.config, settings)
    count = _folds(problem.config, settings)
    return run_trial(problem.graph, problem.ontology, problem.shop, config, count, progress)


def _hopeless(stages: Sequence[Score], leader: Sequence[Score]) -> bool:
    """Whether a try is behind the best one, on the folds that both have done, by more than noise."""
    last = len(stages) - 1
    if last >= len(leader) - 1 or not np.array_equal(stages[last].choices, leader[last].choices):
        return False
    difference, error = gain(stages[last], leader[last])
    return difference < -HOPELESS * error


def _write(problem: TuningProblem, best: FrozenTrial, path: Path) -> None:
    """The best configuration as a file that train.py can run; written whole, or left as it was."""
    config = applied(problem.config, best.user_attrs["settings"])
    if config.network is not None and config.network.prior_means is not None:
        chosen = replace(config.network.prior_means, resume=None)
        config = replace(config, network=replace(config.network, prior_means=chosen))
    text = f"# Found by kgrank tune: kgrank train --config {path}\n"
    text += yaml.safe_dump(config.document(), sort_keys=False, allow_unicode=True)
    write_text(path, text)


def _result(study: optuna.Study, choices: int, best: Path, interrupted: bool) -> TuningResult | None:
    """The search so far; None where no try is done."""
    finished = finished_trials(study)
    if not finished:
        return None
    first = stages_of(finished[0])[-1]
    trials = tuple(_trial(number, trial, first) for number, trial in enumerate(finished))
    best_number = best_of(study).number
    leader = next(t for t, trial in zip(trials, finished, strict=True) if trial.number == best_number)
    others = len(trials) - 1
    # Blom's approximation of the expected largest of that many standard normals.
    largest = NormalDist().inv_cdf((others - 0.375) / (others + 0.25)) if others > 1 else 0.0
    return TuningResult(
        trials=trials,
        best=leader,
        by_chance=largest * (leader.standard_error or 0.0),
        importance=importance_of(study),
        choices=choices,
        config=best,
        interrupted=interrupted,
    )


def _trial(number: int, trial: FrozenTrial, first: Score) -> Trial:
    stages = stages_of(trial)
    whole = trial.state is TrialState.COMPLETE
    difference, error = gain(stages[-1], first) if whole else (None, None)
    return Trial(
        number=number,
        settings=trial.user_attrs["settings"],
        outcome="whole" if whole else "hopeless" if stages else "diverged",
        log_likelihood=stages[-1].mean if stages else None,
        gain=difference,
        standard_error=error,
        seconds=round(trial.user_attrs["seconds"], 1),
    )
