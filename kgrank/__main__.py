"""``python -m kgrank`` is the command line."""

from __future__ import annotations

from kgrank.cli.main import main

if __name__ == "__main__":
    main()
