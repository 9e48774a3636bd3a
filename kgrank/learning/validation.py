"""Which choices are held out."""

from __future__ import annotations

from typing import Any

import numpy as np

from kgrank.choice.logit.likelihood import Choices
from kgrank.learning.config import ValidationConfig
from kgrank.learning.network.tensors import ChoiceRows


def split(choices: ChoiceRows | Choices, how: ValidationConfig, seed: int) -> np.ndarray[Any, Any]:
    """(choices,) which are held out: the last by time, or all of some persons."""
    if how.share <= 0:
        return np.zeros(len(choices), bool)
    if how.by == "time":
        return np.asarray(choices.time > np.quantile(choices.time, 1 - how.share))
    persons = np.unique(choices.person)
    some = np.random.default_rng(seed).choice(persons, max(int(how.share * len(persons)), 1), replace=False)
    return np.isin(choices.person, some)
