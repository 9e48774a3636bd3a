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

# Threads that wait for each other on shared cores cost far more than they bring to matrices this small.
os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))

from kgrank.errors import KgrankError
from kgrank.learning.options import parse
from kgrank.learning.run import quiet, run, say


def main(arguments: list[str] | None = None) -> int:
    """Runs, and prints the result as the last line."""
    quiet()
    try:
        result = run(parse(arguments, "train.py", __doc__), say)
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
