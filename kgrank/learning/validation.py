"""The choices that are held out."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from kgrank.learning.configuration.config import ValidationConfig


class DatedChoices(Protocol):
    """Choices with the time and the person of each."""

    @property
    def time(self) -> np.ndarray[Any, Any]:
        """(choices,) seconds, or the order of a log without a clock."""
        ...

    @property
    def person(self) -> np.ndarray[Any, Any]:
        """(choices,) number of the person."""
        ...

    def __len__(self) -> int: ...


def split(choices: DatedChoices, validation: ValidationConfig, seed: int) -> np.ndarray[Any, Any]:
    """(choices,) True for those that are held out: the last by time, or all of some persons."""
    if validation.share <= 0:
        return np.zeros(len(choices), bool)
    if validation.by == "time":
        return np.asarray(choices.time > np.quantile(choices.time, 1 - validation.share))
    persons = np.unique(choices.person)
    count = max(int(validation.share * len(persons)), 1)
    held_out = np.random.default_rng(seed).choice(persons, count, replace=False)
    return np.isin(choices.person, held_out)
