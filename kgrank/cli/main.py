"""``kgrank``: check an ontology, load a shop, rank, explain.

Exit codes: 0 fine; 1 ran, and found what it looks for; 2 could not run.
"""

from __future__ import annotations

import sys

import typer
from rich.markup import escape

from kgrank import __version__
from kgrank.cli.audit import audit
from kgrank.cli.common import err, out
from kgrank.cli.learning import demo, tune
from kgrank.cli.ontology import carry as ontology_carry
from kgrank.cli.ontology import check as ontology
from kgrank.cli.ontology import sheets as ontology_tables
from kgrank.cli.ontology import text as ontology_text
from kgrank.cli.ranking import explain, facets, importance, rank
from kgrank.cli.service import serve
from kgrank.cli.store import doctor, load, weights
from kgrank.errors import KgrankError

app = typer.Typer(
    name="kgrank",
    help="Learned attribute importance for e-commerce catalogues, and rankings that add up.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.add_typer(demo.app, name="demo")
ontology_text.register(ontology.app)
ontology_tables.register(ontology.app)
ontology_carry.register(ontology.app)
app.add_typer(ontology.app, name="ontology")
load.register(app)
rank.register(app)
importance.register(app)
explain.register(app)
facets.register(app)
audit.register(app)
doctor.register(app)
serve.register(app)
app.add_typer(weights.app, name="weights")
tune.register(app)


def _version(show: bool) -> None:
    if show:
        out.print(f"kgrank {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Options of all commands."""


def main() -> None:
    """Runs the command line; a user's mistake is one line on standard error and exit code 2."""
    try:
        app()
    except KgrankError as error:
        err.print(f"[bold red]error[/]: {escape(error.sentence())}")
        sys.exit(2)
