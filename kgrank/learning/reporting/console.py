"""Progress of a run on standard error: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from kgrank.learning.reporting.progress import Progress


class ConsoleProgress(Progress):
    """Prints stages with their seconds; a context manager, which ends the last stage.

    Args:
        console: Where to print; standard error by default.
        quiet: Print warnings only.
    """

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._quiet = quiet
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
        )
        self._bars = Bars(
            *columns, console=self._console, disable=quiet or not self._console.is_terminal, transient=True
        )
        self._tasks: dict[str, TaskID] = {}
        self._stages = 0
        self._number = 0
        self._began: float | None = None

    def __enter__(self) -> ConsoleProgress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._end_stage()
        self._bars.stop()

    def begin(self, stages: int) -> None:
        """Announces the number of stages."""
        self._stages, self._number = stages, 0

    def stage(self, name: str) -> None:
        """Ends the stage before with its seconds, and prints the next one as "stage n of m"."""
        self._end_stage()
        self._number += 1
        self._began = time.monotonic()
        self.note(f"{self._label()}: {name}")

    def step(self, name: str, done: int, total: int) -> None:
        """Moves the bar of that name; no line where there are no bars."""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(escape(name), total=total)
        self._bars.update(self._tasks[name], completed=done)

    def note(self, text: str) -> None:
        """Prints a line."""
        if not self._quiet:
            self._console.print(text, style="dim", markup=False)

    def warning(self, text: str) -> None:
        """Prints a line, quiet or not."""
        self._console.print(f"warning: {text}", markup=False)

    def _label(self) -> str:
        return f"stage {self._number} of {self._stages}" if self._stages else f"stage {self._number}"

    def _end_stage(self) -> None:
        for task in self._tasks.values():
            self._bars.remove_task(task)
        self._tasks.clear()
        if self._began is not None:
            self.note(f"{self._label()} took {time.monotonic() - self._began:.1f} s")
        self._began = None
