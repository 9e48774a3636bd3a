"""``python -m kgrank`` is the command line, and the command ``kgrank`` is this too."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line; Ctrl-C ends it in one line while its modules are loaded too."""
    try:
        from kgrank.cli.main import main as run
    except KeyboardInterrupt:
        print("stopped by Ctrl-C", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
