"""The lines of the log, written by a thread of their own, so that no request waits for a disk or a reader."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
import time
from queue import Empty, SimpleQueue

from prometheus_client import Counter

from kgrank.control_characters import harmless, harmless_json

WAITING = 10_000
"""Lines that wait to be written at most; more are dropped, as they are where the reader hangs."""

TOGETHER = 0.05
"""Seconds between two writes: lines that come meanwhile are written together."""


class LogWriter:
    """Writes lines to standard error; those that cannot be written are dropped and counted.

    Args:
        dropped: How many were dropped.
    """

    def __init__(self, dropped: Counter) -> None:
        self._dropped = dropped
        self._waiting: SimpleQueue[bytes | threading.Event] = SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def write(self, line: bytes) -> None:
        """Has a line written, without its end; returns at once."""
        if self._waiting.qsize() >= WAITING:
            self._dropped.inc()
            return
        self._waiting.put(line)
        if self._thread is None:
            self._start()

    def flush(self, seconds: float = 1.0) -> None:
        """Waits until what was said before is written, for so long at most."""
        if self._thread is not None:
            written = threading.Event()
            self._waiting.put(written)
            written.wait(seconds)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                # As a daemon: a reader that hangs must not keep the service from ending.
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            lines, flushed = list[bytes](), list[threading.Event]()
            part: bytes | threading.Event | None = self._waiting.get()
            while part is not None:
                if isinstance(part, bytes):
                    lines.append(part)
                else:
                    flushed.append(part)
                try:
                    part = self._waiting.get_nowait()
                except Empty:
                    part = None
            if lines:
                try:
                    text = b"\n".join([*lines, b""])
                    # JSON leaves some of the characters that steer a terminal as they are; none of them is ASCII.
                    _write(
                        text if text.isascii() else harmless_json(text.decode("utf-8", "replace")).encode()
                    )
                except (OSError, ValueError):
                    # A full disk, a reader that is gone, a closed standard error.
                    self._dropped.inc(len(lines))
            for event in flushed:
                event.set()
            time.sleep(TOGETHER)


class LogHandler(logging.Handler):
    """Hands the records of ``logging`` to a writer.

    Args:
        writer: The writer.
    """

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Has one record written."""
        self._writer.write(harmless(self.format(record)).encode("utf-8", "backslashreplace"))


def _write(text: bytes) -> None:
    """To the file of standard error itself: a write that hangs would keep the lock of its buffer for good."""
    try:
        file = sys.stderr.fileno()
    except (AttributeError, io.UnsupportedOperation):
        sys.stderr.write(text.decode("utf-8", "replace"))
        return
    while text:
        text = text[os.write(file, text) :]
