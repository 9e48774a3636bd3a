"""What Ctrl-C leaves of a run: parts that are not done yet are left out, and named."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from kgrank import interrupts
from kgrank.learning.reporting.progress import Progress

T = TypeVar("T")


class HeedingProgress(Progress):
    """Passes everything to another progress, after raising a signal that is pending.

    Args:
        target: The other progress.
    """

    def __init__(self, target: Progress) -> None:
        self._target = target

    def begin(self, stages: int) -> None:
        """Announces the number of stages."""
        interrupts.check()
        self._target.begin(stages)

    def stage(self, name: str) -> None:
        """Begins the next stage."""
        interrupts.check()
        self._target.stage(name)

    def step(self, name: str, done: int, total: int) -> None:
        """Reports a step."""
        interrupts.check()
        self._target.step(name, done, total)

    def note(self, text: str) -> None:
        """Passes a remark on."""
        interrupts.check()
        self._target.note(text)

    def warning(self, text: str) -> None:
        """Passes a problem on."""
        interrupts.check()
        self._target.warning(text)


class OptionalParts:
    """The parts of a result without which the rest can be used.

    Attributes:
        left_out: The names of those that a signal has ended, and of all after it.
    """

    def __init__(self) -> None:
        self.left_out: list[str] = []

    def compute(self, name: str, function: Callable[[], T], instead: T) -> T:
        """A part, or ``instead`` where a signal has come; to be called within ``delayed_signals``."""
        if not self.left_out:
            try:
                with interrupts.raised_signals():
                    return function()
            except BaseException as error:
                # A library may have made an error of its own of it.
                if not interrupts.is_pending() and not isinstance(error, KeyboardInterrupt):
                    raise
                interrupts.acknowledge()
        self.left_out.append(name)
        return instead
