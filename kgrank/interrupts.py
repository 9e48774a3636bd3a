"""Ctrl-C, SIGTERM and SIGHUP: the first asks the work to end, the second ends the process at once.

A signal is raised as KeyboardInterrupt where the program is at that moment. Python drops an exception that is
raised within a finaliser, and libraries turn one into an error of their own; so a signal stays pending until it is
acknowledged, and ``check`` raises it again. Signals are the process's, hence the state of this module.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}

_SHOW_CURSOR = b"\x1b[?25h"


class _State:
    """The signal that came first, whether it waits to be acknowledged, and whether it may be raised now."""

    first: int | None = None
    pending = False
    delayed = False


@contextmanager
def heeding_signals() -> Iterator[None]:
    """Signals are handled as this module says, until the end; within another one nothing changes."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is _handle
    ):
        yield
        return
    before = {number: signal.getsignal(number) for number in NAMES}
    _State.first, _State.pending, _State.delayed = None, False, False
    install()
    unraisable, sys.unraisablehook = sys.unraisablehook, _pass_over_interrupt
    try:
        yield
    finally:
        sys.unraisablehook = unraisable
        for number, handler in before.items():
            signal.signal(number, handler)


def install() -> None:
    """Sets the handlers, again where a library has set its own; what the parent process ignores stays ignored."""
    for number in NAMES:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _handle)


def acknowledge() -> None:
    """The signal that came is being heeded: it is not raised again."""
    _State.pending = False


def is_pending() -> bool:
    """Whether a signal came that nothing has acknowledged."""
    return _State.pending


def check() -> None:
    """Raises a signal that is pending."""
    if _State.pending and not _State.delayed:
        raise KeyboardInterrupt


def name() -> str:
    """What came first, in words: Ctrl-C, where Python's own handler is at work."""
    return NAMES.get(signal.Signals(_State.first or signal.SIGINT), "a signal")


def exit_code() -> int:
    """The exit code of a process that a signal ended: 130 for Ctrl-C."""
    return 128 + (_State.first or signal.SIGINT)


@contextmanager
def delayed_signals() -> Iterator[None]:
    """A first signal is not raised within, but stays pending; a second one ends the process nevertheless."""
    before, _State.delayed = _State.delayed, True
    try:
        yield
    finally:
        _State.delayed = before


@contextmanager
def raised_signals() -> Iterator[None]:
    """Within ``delayed_signals``: here signals are raised, also one that is pending already."""
    before = _State.delayed
    try:
        _State.delayed = False
        check()
        yield
    finally:
        _State.delayed = before


@contextmanager
def default_signals() -> Iterator[None]:
    """Within, signals do what they do in any Python program: for a server, which has handlers of its own."""
    handlers = {number: signal.getsignal(number) for number in NAMES}
    for number, handler in handlers.items():
        if handler is _handle:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def signals_passed_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Within, signals are for another process, which ends as it sees fit, and is waited for."""

    def pass_on(number: int, frame: FrameType | None) -> None:
        # A terminal has sent Ctrl-C to both.
        if number != signal.SIGINT:
            process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in NAMES}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _pass_over_interrupt(unraisable: sys.UnraisableHookArgs) -> None:
    """A signal within a finaliser is pending still, so the traceback that Python would print is no news."""
    if not (_State.pending and unraisable.exc_type is KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)


def _handle(number: int, frame: FrameType | None) -> None:
    if _State.first is not None:
        # Nothing is cleaned up, as the process may be stuck there; a progress bar had hidden the cursor.
        if os.isatty(2):
            os.write(2, _SHOW_CURSOR)
        os._exit(128 + number)
    _State.first, _State.pending = number, True
    if not _State.delayed:
        raise KeyboardInterrupt
