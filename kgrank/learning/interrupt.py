"""Ctrl-C between trainings is never lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Report = Callable[[str], None]


@contextmanager
def heeding_ctrl_c(report: Report) -> Iterator[Report]:
    """A report that first raises a Ctrl-C which came within a finaliser.

    Trainers are taken apart by the garbage collector after each training, for long enough to be hit often, and
    Python drops what a finaliser raises.
    """
    lost = False

    def handle(signum: int, frame: FrameType | None) -> None:
        nonlocal lost
        if frame is not None and frame.f_code.co_name == "__del__":
            lost = True
        else:
            signal.default_int_handler(signum, frame)

    def heard(text: str) -> None:
        nonlocal lost
        if lost:
            lost = False
            raise KeyboardInterrupt
        report(text)

    if threading.current_thread() is not threading.main_thread():
        yield report  # signals are the main thread's
        return
    before = signal.signal(signal.SIGINT, handle)
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, before)
