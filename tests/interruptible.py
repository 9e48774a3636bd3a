"""Processes that Ctrl-C ends, also where the tests themselves run in the background."""

from __future__ import annotations

import sys


def interruptible(code: str) -> list[str]:
    """The command that runs Python code in a process of its own; arguments come after it.

    A shell's background job ignores Ctrl-C, and so would all that it starts; a user's terminal does not. The
    process sets its own handler: ``preexec_fn`` is a risk beside threads, and Python 3.12 warns of it.
    """
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    return [sys.executable, "-c", f"{heed}; {code}"]
