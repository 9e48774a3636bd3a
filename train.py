"""Learns attribute weights from a shop's graph.

    python train.py --config configs/fashion.yaml
    python train.py --config configs/fashion.yaml --data.until 2026-09-30
    python train.py --config configs/fashion.yaml --network auto --network.trainer.max_epochs 5
    python train.py --config configs/fashion.yaml --network auto --network.resume last
    python train.py --config configs/fashion.yaml --print_config
    python train.py --config configs/fashion.yaml --quiet

Progress is printed on standard error; with --quiet only warnings and errors are. The last line of standard
output is one JSON object. Exit codes: 0 fine, 2 could not run (bad input or usage), 130 stopped by Ctrl-C (the
best weights so far are written).
"""

from __future__ import annotations

import json
import os
import sys

# Threads that wait for each other on shared cores cost far more than they bring to matrices this small.
os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))

from kgrank.errors import KgrankError
from kgrank.learning.console import ConsoleProgress
from kgrank.learning.options import parse
from kgrank.learning.run import run, say


def main(arguments: list[str] | None = None) -> int:
    """Runs, and prints the result as the last line."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    quiet = "--quiet" in words
    try:
        with ConsoleProgress(quiet=quiet) as progress:
            config = parse([w for w in words if w != "--quiet"], "train.py", __doc__, progress)
            result = run(config, progress)
    except KgrankError as error:
        say(f"error: {error.sentence()}")
        return 2
    except KeyboardInterrupt:
        say("stopped by Ctrl-C before there were weights; the weights of earlier runs are unchanged")
        return 130
    if result["interrupted"]:
        say("stopped by Ctrl-C: the best weights so far are kept")
    print(json.dumps(result, allow_nan=False))
    return 130 if result["interrupted"] else 0


if __name__ == "__main__":
    sys.exit(main())
