"""A run's configuration from YAML files and options, checked against the types of every setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from jsonargparse import ArgumentError, ArgumentParser
from lightning import Trainer

from kgrank.errors import InputError
from kgrank.learning.config import RunConfig

OWN = {"logger", "callbacks", "enable_checkpointing", "enable_model_summary", "num_sanity_val_steps"}
"""Trainer arguments that the run sets itself."""

EPOCHS = 40


def parse(arguments: Sequence[str] | None, program: str, about: str | None = None) -> RunConfig:
    """The configuration of a command line: ``--config FILE`` and any option of a run behind it.

    Args:
        arguments: The words after the program's name; None takes those of this process.
        program: Its name, for the usage line.
        about: What ``--help`` says first.

    Raises:
        InputError: An option or a file that cannot be, in words.
        SystemExit: 0 after ``--help`` and ``--print_config``.
    """
    parser = ArgumentParser(description=about, prog=program, exit_on_error=False)
    parser.add_argument("--config", action="config", help="A YAML file with any of the options below.")
    parser.add_class_arguments(RunConfig, skip={"trainer"})
    parser.add_class_arguments(Trainer, "trainer", skip=OWN, instantiate=False)
    parser.set_defaults({"trainer.max_epochs": EPOCHS, "trainer.log_every_n_steps": 10})
    try:
        given = parser.instantiate(parser.parse_args(arguments))
    except ArgumentError as error:
        said = " ".join(str(error).split())
        raise InputError(said, where=program, todo=f"See {program} --help.") from None
    chosen = {f.name: given[f.name] for f in fields(RunConfig) if f.name != "trainer"}
    return RunConfig(**chosen, trainer=given["trainer"].as_dict())
