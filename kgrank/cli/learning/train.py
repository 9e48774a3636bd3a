"""``kgrank train``, which ``python train.py`` calls too: learn attribute weights from a shop's graph."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

import typer

from kgrank.cli.common import err, notes
from kgrank.cli.ending import exit_code_of
from kgrank.interrupts import acknowledge, exit_code, name
from kgrank.resources import config_file

ABOUT = """Learns attribute weights from a shop's graph.

    {program} --config fashion
    {program} --config configs/fashion.yaml --data.until 2026-09-30
    {program} --config configs/fashion.yaml --network off
    {program} --config configs/fashion.yaml --network.prior_means.trainer.max_epochs 5
    {program} --config configs/fashion.yaml --network.prior_means.resume last
    {program} --config configs/fashion.yaml --print_config
    {program} --config configs/fashion.yaml --quiet

The configuration is a YAML file, or the name of one that kgrank ships. Progress is printed on standard error;
with --quiet only warnings and errors are. The last line of standard output is one JSON object. Exit codes: 0
fine, 2 could not run (bad input or usage), 130 stopped by Ctrl-C (the best weights so far are written, if there
are any; a second Ctrl-C ends at once), 143 by SIGTERM, 129 by SIGHUP.
"""


def main(arguments: Sequence[str], program: str) -> int:
    """Runs, prints the result as the last line of standard output, and answers with the exit code.

    Args:
        arguments: The words after the program's name.
        program: Its name, for the help page and for messages.
    """
    return exit_code_of(
        lambda: _train(arguments, program),
        " before there were weights; the weights of earlier runs stay as they were",
    )


def _train(arguments: Sequence[str], program: str) -> int:
    # Threads that wait for each other on shared cores cost far more than they bring to matrices this small.
    # It counts only before numpy and torch are loaded.
    os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
    if "--quiet" in arguments:
        notes.quiet = True
    words = _with_shipped(arguments)
    from kgrank.learning.configuration.options import parse
    from kgrank.learning.reporting.console import ConsoleProgress
    from kgrank.learning.run import run

    with ConsoleProgress(err, quiet=notes.quiet) as progress:
        config = parse(words, program, ABOUT.format(program=program))
        result = run(config, progress)
    # The weights are there: the signal that came is heeded, and the line is printed.
    acknowledge()
    if result["interrupted"]:
        without = f", without: {', '.join(result['left_out'])}" if result["left_out"] else ""
        err.print(f"stopped by {name()}: the best weights so far are kept{without}", markup=False)
    print(json.dumps(result, allow_nan=False))
    return exit_code() if result["interrupted"] else 0


def _with_shipped(arguments: Sequence[str]) -> list[str]:
    """The arguments without ``--quiet``, and with the path of a configuration that is only named."""
    words: list[str] = []
    for word in arguments:
        if words and words[-1] == "--config":
            words.append(str(config_file(word)))
        elif word.startswith("--config="):
            words.append(f"--config={config_file(word.removeprefix('--config='))}")
        elif word != "--quiet":
            words.append(word)
    return words


def train_command(context: typer.Context) -> None:
    """Learn attribute weights: the same as python train.py in a checkout; --help lists every setting.

    Example: kgrank train --config fashion

    Example: kgrank train --config configs/fashion.yaml --validation.share 0.2
    """
    raise typer.Exit(main(context.args, "kgrank train"))


def register(app: typer.Typer) -> None:
    """Adds the command; all that follows it belongs to the run, ``--help`` too."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command("train", context_settings=settings)(train_command)
