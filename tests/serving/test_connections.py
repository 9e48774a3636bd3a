"""What a caller costs before its key is read is bounded, and nobody locks others out."""

from __future__ import annotations

import json
import re
import socket
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from kgrank.serving.protocol import Bounds

PLAIN = json.dumps({"category": "clothes", "size": 3}).encode()


def raw(url: str, request: bytes) -> bytes:
    """What a server answers to some bytes."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
            if b"\r\n\r\n" in b"".join(parts):
                break
        return b"".join(parts)


def opened(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), timeout=20)


def test_a_websocket_upgrade_is_refused_as_documented(stored: str, running: Any) -> None:
    upgrade = (
        b"GET /v1/rank HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with running(stored) as url:
        answer = raw(url, upgrade)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"WebSocket" in answer
        assert httpx.get(f"{url}/health").status_code == 200


def test_a_client_that_offers_http_2_is_answered_in_http_1(stored: str, running: Any) -> None:
    head = (
        b"POST /v1/rank HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(PLAIN)
    )
    with running(stored) as url:
        assert raw(url, head + PLAIN).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "head",
    [
        b"X-Long: " + b"x" * 40_000 + b"\r\n",
        b"X-Long: " + b"x" * 400_000 + b"\r\n",
        b"".join(b"X-%d: x\r\n" % k for k in range(200)),
    ],
    ids=["long", "longer than a read", "many"],
)
def test_large_heads_are_refused_and_counted(stored: str, running: Any, head: bytes) -> None:
    with running(stored) as url:
        request = b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n"
        assert raw(url, request).startswith(b"HTTP/1.1 431 ")
        metrics = httpx.get(f"{url}/metrics").text
        assert 'kgrank_refused_total{reason="head"} 1.0' in metrics


def test_a_head_that_never_ends_is_refused_before_it_is_kept(stored: str, running: Any) -> None:
    with running(stored) as url, opened(url) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
        for _ in range(20):
            try:
                connection.sendall(b"x" * 4096)
            except OSError:
                break
            time.sleep(0.01)
        assert connection.recv(100).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("sent", [b"", b"GET /hea", b"GET /health HTTP/1.1\r\nHost: loc"])
def test_a_head_that_does_not_come_in_time_is_refused(stored: str, running: Any, sent: bytes) -> None:
    with running(stored, bounds=Bounds(head_seconds=0.3)) as url:
        assert raw(url, sent).startswith(b"HTTP/1.1 408 ")
        assert 'kgrank_refused_total{reason="head-time"} 1.0' in httpx.get(f"{url}/metrics").text


def test_bytes_that_are_no_request_keep_no_connection_open(stored: str, running: Any) -> None:
    with running(stored, bounds=Bounds(idle_seconds=0.5)) as url, opened(url) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        for _ in range(10):
            time.sleep(0.2)
            try:
                connection.sendall(b"\r\n")
            except OSError:
                break
        else:
            pytest.fail("an idle connection stayed open")


def test_idle_connections_do_not_lock_others_out(stored: str, running: Any) -> None:
    with running(stored, bounds=Bounds(connections=20)) as url:
        idle = [opened(url) for _ in range(60)]
        for _ in range(5):
            assert httpx.get(f"{url}/health").status_code == 200
        assert 'kgrank_refused_total{reason="connections"}' in httpx.get(f"{url}/metrics").text
        for connection in idle:
            connection.close()


def test_what_is_no_http_is_refused_in_json(stored: str, running: Any) -> None:
    with running(stored) as url:
        answer = raw(url, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"application/json" in answer


def test_a_connection_is_kept_for_the_next_request(stored: str, running: Any) -> None:
    head = b"POST /v1/rank HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    request = head + b"Content-Length: %d\r\n\r\n" % len(PLAIN) + PLAIN
    with running(stored) as url, opened(url) as connection:
        for _ in range(3):
            connection.sendall(request)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


HEAD = b"POST /v1/rank HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def test_a_body_that_does_not_come_in_time_is_refused(stored: str, running: Any) -> None:
    with running(stored, bounds=Bounds(body_seconds=0.3)) as url, opened(url) as connection:
        connection.sendall(HEAD + b"Content-Length: 50\r\n\r\n{")
        assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")
        assert 'kgrank_refused_total{reason="body-time"} 1.0' in httpx.get(f"{url}/metrics").text


@pytest.mark.parametrize(
    "endless",
    [b"X-Trailer: " + b"x" * 400_000, b"1;" + b"x" * 400_000 + b"\r\n"],
    ids=["a trailer", "an extension of a chunk"],
)
def test_what_comes_beside_a_body_is_bounded(stored: str, running: Any, endless: bytes) -> None:
    with running(stored) as url, opened(url) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"2\r\n{}\r\n" + (b"0\r\n" if endless.startswith(b"X") else b"") + endless)
        assert re.match(rb"HTTP/1\.1 4(31|00) ", connection.recv(65536))
        assert httpx.get(f"{url}/health").status_code == 200


def test_a_caller_who_sends_many_requests_before_an_answer_loses_the_connection(
    stored: str, running: Any
) -> None:
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(PLAIN) + PLAIN
    with running(stored) as url:
        with opened(url) as connection:
            connection.sendall(request * 30)
            answers = b""
            while answers.count(b"HTTP/1.1 200 ") < 30:
                answers += connection.recv(65536)
        with opened(url) as connection:
            connection.sendall(request * 1000)
            with suppress(ConnectionError):
                while connection.recv(65536):
                    pass
        assert 'kgrank_refused_total{reason="pipeline"} 1.0' in httpx.get(f"{url}/metrics").text


def test_a_large_body_does_not_count_for_the_headers_of_the_next_request(stored: str, running: Any) -> None:
    large = PLAIN + b" " * 300_000
    with running(stored) as url, opened(url) as connection:
        for _ in range(2):
            connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(large) + large)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
            # The next head comes in two parts.
            connection.sendall(HEAD[:30])
            time.sleep(0.1)
            connection.sendall(HEAD[30:] + b"Content-Length: %d\r\n\r\n" % len(PLAIN) + PLAIN)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
