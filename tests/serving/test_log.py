"""The log never blocks or fails a request."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from kgrank.serving.log import LogHandler, LogWriter

COMMAND = [sys.executable, "-c", "from kgrank.cli.main import main; main()"]
RANK = {"category": "clothes", "size": 1}
ENOUGH = 1500
"""Requests whose lines are more than a pipe holds."""


@contextmanager
def serving(stored: str, log: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """``kgrank serve`` with its standard error in a file or a pipe."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = ["serve", "--store", stored, "--port", str(port), "--rate", "1e9", "--burst", "1e9"]
    process = subprocess.Popen([*COMMAND, *line], stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                if httpx.get(f"{url}/ready").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url, process
    finally:
        process.terminate()
        process.wait(timeout=30)


def dropped(url: str) -> float:
    metrics = httpx.get(f"{url}/metrics").text
    match = re.search(r"^kgrank_log_dropped_total (\S+)$", metrics, re.MULTILINE)
    assert match
    return float(match[1])


def answers(url: str, count: int) -> set[int]:
    with httpx.Client(base_url=url, timeout=20) as http:
        return {http.post("/v1/rank", json=RANK).status_code for _ in range(count)}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_on_a_full_disk_requests_are_answered_and_dropped_lines_counted(stored: str) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with serving(stored, full) as (url, _):
        assert answers(url, 20) == {200}
        time.sleep(0.2)
        assert dropped(url) >= 20
    os.close(full)


def test_when_the_reader_of_the_log_is_gone_requests_are_answered(stored: str) -> None:
    reader, writer = os.pipe()
    with serving(stored, writer) as (url, _):
        os.close(writer)
        os.close(reader)
        assert answers(url, 20) == {200}
        time.sleep(0.2)
        assert dropped(url) >= 20


def test_when_the_reader_of_the_log_hangs_requests_are_answered_and_the_service_still_ends(
    stored: str,
) -> None:
    reader, writer = os.pipe()
    with serving(stored, writer) as (url, process):
        os.close(writer)
        assert answers(url, ENOUGH) == {200}
        process.terminate()
        process.wait(timeout=30)
    os.close(reader)


def test_no_character_in_a_line_steers_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    writer = LogWriter(Counter("dropped", "Lines", registry=CollectorRegistry()))
    writer.write('{"path": "/\x9b31m\u202e颜色"}'.encode())
    record = logging.LogRecord("kgrank", logging.WARNING, "", 0, "/srv/\x1b[31m\x9b\u202e.lb", None, None)
    LogHandler(writer).emit(record)
    writer.flush(10)
    first, second = capfd.readouterr().err.splitlines()
    assert json.loads(first) == {"path": "/\x9b31m\u202e颜色"}
    assert "颜色" in first
    assert second == "/srv/␛[31m��.lb"
    assert not set("\x1b\x9b\u202e") & set(first + second)


def test_what_is_refused_before_the_key_is_a_line_of_the_log(stored: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file, serving(stored, file.fileno()) as (url, process):
        assert httpx.get(f"{url}/health", headers={"x": "x" * 40_000}).status_code == 431
        assert httpx.get(f"{url}/health", headers={"host": "evil.example"}).status_code == 403
        process.terminate()
        process.wait(timeout=30)
    lines = [
        json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")
    ]
    refused = [(line["refused"], line["caller"]) for line in lines if "refused" in line]
    assert refused == [("head", "127.0.0.1"), ("host", "127.0.0.1")]


def test_a_warning_of_a_library_goes_through_the_log() -> None:
    program = """
import warnings
from prometheus_client import CollectorRegistry, Counter
from kgrank.serving.log import LogWriter
from kgrank.serving.server import log_through
writer = LogWriter(Counter("dropped", "dropped", registry=CollectorRegistry()))
lines = []
writer.write = lines.append
log_through(writer)
warnings.warn("a division by nothing")
assert any(b"a division by nothing" in line for line in lines)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
