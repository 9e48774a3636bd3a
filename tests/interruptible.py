"""Processes that Ctrl-C ends, also where the tests themselves run in the background."""

from __future__ import annotations

import os
import subprocess
import sys


def interruptible(code: str) -> list[str]:
    """The command that runs Python code in a process of its own; arguments come after it.

    A shell's background job ignores Ctrl-C, and so would all that it starts; a user's terminal does not. The
    process sets its own handler: ``preexec_fn`` is a risk beside threads, and Python 3.12 warns of it.
    """
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    return [sys.executable, "-c", f"{heed}; {code}"]


def stopping_after(line: str, code: str) -> list[str]:
    """The same, of a process that stops itself (SIGSTOP) once it has printed ``line`` on standard error.

    What a test does then meets the process there, and not wherever it has come to in the meantime.
    """
    stop = f"""
import os, signal, sys
write = sys.stderr.write
def write_and_stop(text):
    write(text)
    if {line!r} in text:
        sys.stderr.flush()
        sys.stderr.write = write
        os.kill(os.getpid(), signal.SIGSTOP)
sys.stderr.write = write_and_stop
"""
    return interruptible(f"exec({stop!r}); {code}")


def await_stop(process: subprocess.Popen[str]) -> None:
    """Waits until a process of ``stopping_after`` has stopped itself."""
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
