"""Commands that run one after another, each shown as a person would type it."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Iterable

import typer
from rich.markup import escape

from kgrank.cli.common import err, notes, out
from kgrank.interrupts import signals_passed_on


def run_steps(steps: Iterable[list[str]]) -> None:
    """Shows and runs each command, in a process of its own.

    Args:
        steps: The words after ``kgrank`` of each.

    Raises:
        typer.Exit: A command ended with another code than 0.
    """
    for words in steps:
        out.print(f"\n[bold]$ {escape(shlex.join(['kgrank', *words]))}[/]")
        code = _run(words)
        if code != 0:
            raise typer.Exit(code)


def _run(words: list[str]) -> int:
    """Runs one command; its exit code."""
    line = [sys.executable, "-P", "-m", "kgrank", *["--quiet"] * notes.quiet, *words]
    with subprocess.Popen(line) as command, signals_passed_on(command):
        code = command.wait()
    if code < 0:
        err.print(f"stopped by {signal.Signals(-code).name}")
    return code if code >= 0 else 128 - code
