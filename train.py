"""Learns attribute weights from a shop's graph.

    python train.py --config configs/fashion.yaml
    python train.py --config configs/fashion.yaml --trainer.max_epochs 5 --optimizer.lr 0.02
    python train.py --config configs/fashion.yaml --resume last
    python train.py --config configs/fashion.yaml --logger wandb
    python train.py --config configs/fashion.yaml --print_config

The last line of standard output is one JSON object. Exit codes: 0 fine, 2 could not run (bad input or
usage), 130 stopped by Ctrl-C (the best weights so far are written).
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import fields

# Threads that wait for each other on shared cores cost far more than they bring to matrices this small.
os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))

from jsonargparse import ArgumentParser
from lightning import Trainer

from kgrank.errors import KgrankError
from kgrank.learning.config import RunConfig
from kgrank.learning.run import quiet, run, say

OWN = {"logger", "callbacks", "enable_checkpointing", "enable_model_summary", "num_sanity_val_steps"}
"""Trainer arguments that the run sets itself."""

EPOCHS = 40


def parse(arguments: list[str] | None = None) -> RunConfig:
    """The configuration of a command line."""
    parser = ArgumentParser(description=__doc__, prog="train.py")
    parser.add_argument("--config", action="config", help="A YAML file with any of the options below.")
    parser.add_class_arguments(RunConfig, skip={"trainer"})
    parser.add_class_arguments(Trainer, "trainer", skip=OWN, instantiate=False)
    parser.set_defaults({"trainer.max_epochs": EPOCHS, "trainer.log_every_n_steps": 10})
    given = parser.instantiate(parser.parse_args(arguments))
    chosen = {f.name: given[f.name] for f in fields(RunConfig) if f.name != "trainer"}
    return RunConfig(**chosen, trainer=given["trainer"].as_dict())


def main(arguments: list[str] | None = None) -> int:
    """Runs, and prints the result as the last line."""
    quiet()
    try:
        result = run(parse(arguments), say)
    except KgrankError as error:
        say(f"error: {error.sentence()}")
        return 2
    except KeyboardInterrupt:
        say("stopped by Ctrl-C before there were weights; the weights of earlier runs stand as they were")
        return 130
    if result["interrupted"]:
        say("stopped by Ctrl-C: the best weights so far are kept")
    print(json.dumps(result, allow_nan=False))
    return 130 if result["interrupted"] else 0


if __name__ == "__main__":
    sys.exit(main())
