"""The command line, in this process."""

from __future__ import annotations

import sys

import pytest

from kgrank.cli.main import main


def run(*arguments: object) -> int:
    """The exit code of the command line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["kgrank", *map(str, arguments)])
        try:
            main()
        except SystemExit as stop:
            return int(stop.code or 0)
    return 0
