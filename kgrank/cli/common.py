"""What all commands share: the consoles, JSON output, notes and progress, extras."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from kgrank.control_characters import harmless, harmless_json
from kgrank.errors import InputError

if TYPE_CHECKING:
    from kgrank.graph.store import Progress as Report


class HarmlessConsole(Console):
    """A console on which no text of data steers the terminal."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of what is printed; only those that are the console's own control the terminal."""
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else harmless(segment.text)
            yield segment if text is segment.text else Segment(text, segment.style)

    def on_broken_pipe(self) -> None:
        """Leaves to the command how it ends."""
        raise


out = HarmlessConsole(highlight=False, soft_wrap=True)
err = HarmlessConsole(stderr=True, highlight=False, soft_wrap=True)
notes = HarmlessConsole(stderr=True, highlight=False, soft_wrap=True)
"""Standard error for what ``--quiet`` silences: notes and progress. Errors go to ``err``."""

CHARTS = (".png", ".svg", ".pdf")

EXTRAS = {"language": "sklearn", "plots": "matplotlib", "shacl": "pyshacl"}
"""By the name of an extra, the module that it brings."""


def print_json(value: Any) -> None:
    """Writes one JSON document to standard output; refuses NaN."""
    document = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write(harmless_json(document) + "\n")


def note(text: str) -> None:
    """Writes a line about the work to standard error, unless ``--quiet``."""
    notes.print(text, markup=False)


class _ConsoleHandler(logging.Handler):
    """Prints what is logged as a line on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        err.print(f"{record.levelname.lower()}: {record.getMessage()}", markup=False)


_handler = _ConsoleHandler(logging.WARNING)


def log_to_console() -> None:
    """Has kgrank's log of this process printed on standard error, warnings and worse."""
    logging.getLogger("kgrank").addHandler(_handler)


def print_answer(answer: Any) -> None:
    """Writes an answer (a dataclass of ``kgrank.ranking.answers``) as one JSON document."""
    from kgrank.codec import encode

    print_json(encode(answer))


@contextmanager
def progress_bar() -> Iterator[Report]:
    """A progress bar on standard error, one line a table; silent where that is no terminal, and with --quiet."""
    # Only commands that work for long need it.
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=notes, disable=notes.quiet or not notes.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def report(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done, total=total)

        yield report


@contextmanager
def waiting(text: str) -> Iterator[Callable[[str], None]]:
    """A moving sign beside what is done now, on a terminal, for work whose length is not known.

    Yields:
        What replaces the text as the work goes from one part to the next.
    """
    with notes.status(text) as status:
        yield status.update


def require_extra(extra: str) -> None:
    """Refuses to begin work that needs an extra which is not installed.

    Raises:
        InputError: It is not installed.
    """
    if find_spec(EXTRAS[extra]) is None:
        raise InputError(
            f"{EXTRAS[extra]} is not installed", todo=f"Install it: pip install 'kgrank[{extra}]'"
        )


def _chart_file(path: Path | None) -> Path | None:
    if path is not None:
        if path.suffix.lower() not in CHARTS:
            raise InputError(
                f"a chart is not written as {path.suffix or 'a file without an ending'}",
                where=path,
                expected=f"one of {', '.join(CHARTS)}",
            )
        require_extra("plots")
    return path


Chart = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Also draw it: a .png, .svg or .pdf file.", callback=_chart_file),
]
"""A chart's file; another ending, or a missing extra ``plots``, is refused before the command begins."""
