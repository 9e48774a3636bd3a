"""Ctrl-C that arrives while a trainer is being destroyed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from kgrank.learning.reporting.progress import Progress


@contextmanager
def delayed_interrupts(progress: Progress) -> Iterator[Progress]:
    """A progress that raises KeyboardInterrupt, at its next call, for a Ctrl-C that came within a finaliser.

    The garbage collector destroys trainers after each training, which takes long enough to be hit often, and
    Python drops an exception that a finaliser raises.
    """
    if threading.current_thread() is not threading.main_thread():
        yield progress  # signals belong to the main thread
        return
    raising = _RaisingProgress(progress)
    before = signal.signal(signal.SIGINT, raising.handle)
    try:
        yield raising
    finally:
        signal.signal(signal.SIGINT, before)


class _RaisingProgress(Progress):
    """Passes everything to another progress, after raising an interrupt that was delayed."""

    def __init__(self, target: Progress) -> None:
        self._target = target
        self._delayed = False

    def handle(self, signum: int, frame: FrameType | None) -> None:
        """The handler of SIGINT."""
        if frame is not None and frame.f_code.co_name == "__del__":
            self._delayed = True
        else:
            signal.default_int_handler(signum, frame)

    def begin(self, stages: int) -> None:
        self._checked().begin(stages)

    def stage(self, name: str) -> None:
        self._checked().stage(name)

    def step(self, name: str, done: int, total: int) -> None:
        self._checked().step(name, done, total)

    def note(self, text: str) -> None:
        self._checked().note(text)

    def warning(self, text: str) -> None:
        self._checked().warning(text)

    def _checked(self) -> Progress:
        if self._delayed:
            self._delayed = False
            raise KeyboardInterrupt
        return self._target
