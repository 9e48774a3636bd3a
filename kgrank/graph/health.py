"""How one check of a store came out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check came out."""

    FINE = "fine"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Check:
    """One thing looked at, what was found, and what to do."""

    name: str
    state: State
    found: str
    todo: str = ""


LOAD = "Load the shop: kgrank load FOLDER."
REPAIR = "Bring it to this version: kgrank doctor --repair."
