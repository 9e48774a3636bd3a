"""The stored tries of a search: an Optuna study in a journal file, which a killed process cannot damage."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from kgrank.errors import RunError
from kgrank.learning.tuning.space import Setting
from kgrank.learning.tuning.trials import Score

JOURNAL = "tries.journal"
STAGES = "stages"

ENOUGH = 5
"""Whole tries from which the importance of the settings is computed."""


def open_study(folder: Path, identity: Mapping[str, Any]) -> optuna.Study:
    """The search of a folder, begun or resumed.

    Raises:
        RunError: The folder holds a search with another identity.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    journal = folder / JOURNAL
    if journal.exists():
        _mend(journal)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        study_name="kgrank",
        direction="maximize",
        load_if_exists=True,
    )
    stored_identity = study.user_attrs.get("about")
    if stored_identity is None:
        study.set_user_attr("about", dict(identity))
    elif stored_identity != identity:
        names = {**stored_identity, **identity}
        differing = ", ".join(name for name in names if stored_identity.get(name) != identity.get(name))
        raise RunError(
            f"the folder holds a search that differs in {differing}",
            where=folder,
            todo="Give another --out, or delete the folder.",
        )
    for cut_off in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(cut_off.number, state=TrialState.FAIL)
    return study


def _mend(journal: Path) -> None:
    """Removes the half line that a killed process may have left."""
    text = journal.read_bytes()
    whole = text.rfind(b"\n") + 1
    if whole < len(text):
        os.truncate(journal, whole)


def distribution(setting: Setting) -> BaseDistribution:
    """A setting's range as a distribution of Optuna."""
    if setting.values:
        return CategoricalDistribution(setting.values)
    if setting.whole:
        return IntDistribution(int(setting.minimum), int(setting.maximum), log=setting.log)
    return FloatDistribution(setting.minimum, setting.maximum, log=setting.log)


def finished_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Tries that are done, whole or given up, in order."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def best_of(study: optuna.Study) -> FrozenTrial:
    """The whole try with the highest log-likelihood, the first of equals."""
    whole = [t for t in finished_trials(study) if t.state is TrialState.COMPLETE]
    return max(whole, key=lambda t: (t.value, -t.number))


def stored(stages: Sequence[Score]) -> list[list[list[float]]]:
    """Scores as JSON."""
    return [[s.total.tolist(), s.choices.tolist()] for s in stages]


def stages_of(trial: FrozenTrial) -> list[Score]:
    """The scores of a try, stage by stage."""
    return [Score(np.array(total), np.array(choices)) for total, choices in trial.user_attrs[STAGES]]


def importance_of(study: optuna.Study) -> dict[str, float]:
    """Share of each setting in the differences between tries."""
    whole = [t for t in finished_trials(study) if t.state is TrialState.COMPLETE]
    if len(whole) < ENOUGH or len({t.value for t in whole}) < 2:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    return optuna.importance.get_param_importances(study, evaluator=evaluator)
