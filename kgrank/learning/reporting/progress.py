"""Progress of long work: stages one after another, steps within a stage, notes and warnings."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives what a run is doing."""

    def begin(self, stages: int) -> None:
        """Announces the number of stages."""
        ...

    def stage(self, name: str) -> None:
        """Ends the stage before, if any, and begins the next one."""
        ...

    def step(self, name: str, done: int, total: int) -> None:
        """So many of the steps of the present stage are done."""
        ...

    def note(self, text: str) -> None:
        """A remark about the run."""
        ...

    def warning(self, text: str) -> None:
        """A problem that does not stop the run."""
        ...


class NoProgress:
    """Drops everything."""

    def begin(self, stages: int) -> None:
        """Does nothing."""

    def stage(self, name: str) -> None:
        """Does nothing."""

    def step(self, name: str, done: int, total: int) -> None:
        """Does nothing."""

    def note(self, text: str) -> None:
        """Does nothing."""

    def warning(self, text: str) -> None:
        """Does nothing."""


NO_PROGRESS: Progress = NoProgress()
