"""Learns attribute weights from a shop's graph: the same as ``kgrank train``.

python train.py --config configs/fashion.yaml
"""

from __future__ import annotations

import sys

from kgrank.cli.learning.train import main as train


def main(arguments: list[str] | None = None) -> int:
    """Runs, prints the result as the last line, and answers with the exit code."""
    return train(sys.argv[1:] if arguments is None else arguments, "train.py")


if __name__ == "__main__":
    sys.exit(main())
