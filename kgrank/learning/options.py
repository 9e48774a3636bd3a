"""A run's configuration from YAML files and options, checked against the types of every setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from jsonargparse import ArgumentParser
from lightning import Trainer

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
        SystemExit: 2 after a message on standard error that names the option; 0 after ``--help``.
    """
    parser = ArgumentParser(description=about, prog=program)
    parser.add_argument("--config", action="config", help="A YAML file with any of the options below.")
    parser.add_class_arguments(RunConfig, skip={"trainer"})
    parser.add_class_arguments(Trainer, "trainer", skip=OWN, instantiate=False)
    parser.set_defaults({"trainer.max_epochs": EPOCHS, "trainer.log_every_n_steps": 10})
    given = parser.instantiate(parser.parse_args(arguments))
    chosen = {f.name: given[f.name] for f in fields(RunConfig) if f.name != "trainer"}
    return RunConfig(**chosen, trainer=given["trainer"].as_dict())
