"""The commands of ``kgrank propose``."""

from __future__ import annotations

import typer

from kgrank.cli.propose import values

app = typer.Typer(
    help="Propose what a catalogue lacks, and take back what people accept.", no_args_is_help=True
)
for module in (values,):
    module.register(app)
