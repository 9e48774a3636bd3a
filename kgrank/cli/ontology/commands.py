"""The commands of ``kgrank ontology``."""

from __future__ import annotations

import typer

from kgrank.cli.ontology import carry, check, copy, sheets, text

app = typer.Typer(
    help="What catalog teams write: check it, and list its rules as sentences.", no_args_is_help=True
)
for module in (check, copy, text, sheets, carry):
    module.register(app)
