"""How every command ends: an exit code, and one line for what went wrong.

Exit codes: 0 fine; 1 ran, and found what it looks for; 2 could not run; 128 plus the number of the signal that
ended it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from kgrank.cli.common import err, log_to_console
from kgrank.errors import KgrankError
from kgrank.interrupts import acknowledge, exit_code, heeding_signals, is_pending, name

PIPE_CLOSED = 128 + signal.SIGPIPE
"""The exit code where whoever reads the output has left, as ``head`` does."""


def exit_code_of(command: Callable[[], object], stopped: str = "") -> int:
    """Runs a command to its end.

    Args:
        command: Returns its exit code, or raises it.
        stopped: What is said beside "stopped by Ctrl-C".
    """
    with heeding_signals():
        log_to_console()
        try:
            code = _code(command)
            sys.stdout.flush()
            return code
        except (Exception, KeyboardInterrupt) as error:
            code = _ending(error, stopped)
            _leave_output()
            return code


def _code(command: Callable[[], object]) -> int:
    try:
        code = command()
    except SystemExit as end:
        code = end.code
    if is_pending():
        raise KeyboardInterrupt
    if isinstance(code, str):
        raise KgrankError(code)
    return code if isinstance(code, int) else 0


def _ending(error: BaseException, stopped: str) -> int:
    """The line and the exit code for what ended a command; raises what is a defect of kgrank."""
    if is_pending() or isinstance(error, KeyboardInterrupt):
        acknowledge()
        _say(f"stopped by {name()}{stopped}")
        return exit_code()
    if isinstance(error, BrokenPipeError):
        return PIPE_CLOSED
    if isinstance(error, KgrankError):
        text = error.sentence()
    elif isinstance(error, OSError) and error.errno is not None:
        place = "the output" if error.filename is None else error.filename
        text = f"{place}: {os.strerror(error.errno)}"
    elif isinstance(error, MemoryError):
        text = "there is not enough memory for this. Take less data, or a machine with more memory."
    else:
        raise error
    _say(text, "error: ")
    return 2


def _say(text: str, before: str = "") -> None:
    # Standard error may be full or closed too, and the exit code still tells.
    with suppress(OSError):
        err.print(before, style="bold red", end="", markup=False)
        err.print(text, markup=False)


def _leave_output() -> None:
    """Has what could not be written dropped: Python would try again at its end, and print a traceback."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
