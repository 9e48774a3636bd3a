"""``kgrank``: check an ontology, load a shop, train, rank, explain.

Exit codes: 0 fine; 1 ran, and found what it looks for; 2 could not run; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys

import typer

from kgrank import __version__
from kgrank.cli.common import notes, out
from kgrank.cli.ending import exit_code_of
from kgrank.cli.lazy import LazyGroup, Quiet

COMMANDS = {
    "demo": "kgrank.cli.learning.demo",
    "ontology": "kgrank.cli.ontology.commands",
    "init": "kgrank.cli.store.init",
    "load": "kgrank.cli.store.load",
    "forget": "kgrank.cli.store.forget",
    "train": "kgrank.cli.learning.train",
    "tune": "kgrank.cli.learning.tune",
    "rank": "kgrank.cli.ranking.rank",
    "importance": "kgrank.cli.ranking.importance",
    "explain": "kgrank.cli.ranking.explain",
    "facets": "kgrank.cli.ranking.facets",
    "audit": "kgrank.cli.audit.audit",
    "ask": "kgrank.cli.ranking.ask",
    "propose": "kgrank.cli.propose.commands",
    "weights": "kgrank.cli.store.weights",
    "doctor": "kgrank.cli.store.doctor",
    "serve": "kgrank.cli.service.serve",
    "keys": "kgrank.cli.service.serve",
    "help": "kgrank.cli.help",
}
"""In the order of the help page: the module of each command or group."""


class Commands(LazyGroup):
    """All commands of ``kgrank``."""

    modules = COMMANDS


app = typer.Typer(
    cls=Commands,
    name="kgrank",
    help="Learned attribute importance for e-commerce catalogues, and rankings that add up.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def _version(show: bool) -> None:
    if show:
        out.print(f"kgrank {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
    quiet: Quiet = False,
) -> None:
    """Options of all commands."""


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line; a user's mistake is one line on standard error and exit code 2.

    Args:
        arguments: The words after ``kgrank``; None takes those of this process.
    """
    notes.quiet = False
    sys.exit(exit_code_of(lambda: app(arguments)))
