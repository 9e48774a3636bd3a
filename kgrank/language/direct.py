"""What an encoder is, and one that computes whatever it is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from kgrank.arrays import Floats32
from kgrank.errors import InputError

LONGEST_TEXT = 20_000
"""Characters of a text that are read; models read some hundred words of it."""

BATCH = 64
"""Texts that a model reads at once."""

Report = Callable[[str, int, int], None]
"""Is told the name of the work, how much of it is done, and how much there is."""


class Encoder(Protocol):
    """What turns texts into vectors."""

    @property
    def name(self) -> str:
        """As the user wrote it."""
        ...

    @property
    def width(self) -> int:
        """Length of a vector."""
        ...

    @property
    def fingerprint(self) -> str:
        """Another one for other weights; vectors are cached by it."""
        ...

    def encode(self, texts: Sequence[str]) -> Floats32:
        """The vectors of texts: (texts, width), each of length 1."""
        ...


class Model(Protocol):
    """The room ``language/models`` gives such: a width, and vectors of at most ``BATCH`` clean texts."""

    width: int

    def vectors(self, texts: Sequence[str]) -> Floats32:
        """(texts, width), of any length."""
        ...


@dataclass(frozen=True)
class DirectEncoder:
    """A model that is loaded when it is first needed, with checks around it: it computes whatever it is asked."""

    name: str
    fingerprint: str
    load: Callable[[], Model]
    known_width: int | None = None

    @cached_property
    def model(self) -> Model:
        """The model, loaded."""
        return self.load()

    @property
    def width(self) -> int:
        """Length of a vector."""
        return self.model.width if self.known_width is None else self.known_width

    def encode(self, texts: Sequence[str], report: Report | None = None) -> Floats32:
        """The vectors of texts, (texts, width), each of length 1.

        Raises:
            InputError: The model gives a vector that is no number.
        """
        result = np.empty((len(texts), self.width), dtype=np.float32)
        # Texts of about the same length share a batch: a batch is as slow as its longest.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            vectors = self.model.vectors([clean_text(texts[i]) for i in rows])
            result[rows] = unit_length(vectors, self.name)
            if report is not None:
                report(f"vectors by {self.name}", start + len(rows), len(order))
        return result


def clean_text(text: str) -> str:
    """What a model reads of a text: bounded, without NUL and halves of characters; never empty."""
    bounded = text[:LONGEST_TEXT].encode("utf-8", "replace").decode().replace("\0", " ")
    return bounded if bounded.strip() else "."


def unit_length(vectors: Floats32, where: object) -> Floats32:
    """The vectors with length 1.

    Raises:
        InputError: One of them has NaN or infinity in it, or only zeros.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.all(np.isfinite(lengths) & (lengths > 0)):
        raise InputError(
            "a vector is no number, or zero",
            where=where,
            todo="The model is damaged, or made for other texts: take another one.",
        )
    return np.asarray(vectors / lengths, dtype=np.float32)
