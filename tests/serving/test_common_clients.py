"""Whatever a client sends over its connection is answered, or refused with a status that the pages name."""

from __future__ import annotations

import gzip
import json
import logging
import re
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kgrank.serving.service import Settings

PLAIN = json.dumps({"category": "clothes", "size": 3}).encode()
HOST = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"


@pytest.fixture(scope="module")
def url(stored: str, running: Any) -> Iterator[str]:
    with running(stored, settings=Settings(rate=1e6, burst=1e6, log=False)) as served:
        yield served


def request(
    content: bytes = PLAIN,
    *lines: bytes,
    method: bytes = b"POST",
    target: bytes = b"/v1/rank",
    version: bytes = b"HTTP/1.1",
    head: bytes = HOST + JSON,
    size: bool = True,
) -> bytes:
    length = b"Content-Length: %d\r\n" % len(content) if size else b""
    headers = head + b"".join(line + b"\r\n" for line in lines) + length
    return method + b" " + target + b" " + version + b"\r\n" + headers + b"\r\n" + content


def chunked(*parts: bytes, extension: bytes = b"", trailers: bytes = b"") -> bytes:
    head = request(b"", b"Transfer-Encoding: chunked", size=False)
    return (
        head
        + b"".join(b"%x%s\r\n%s\r\n" % (len(part), extension, part) for part in parts)
        + b"0\r\n"
        + trailers
        + b"\r\n"
    )


def statuses(url: str, raw: bytes) -> tuple[list[int], bytes]:
    """The status of each answer on one connection, in order, and all that came."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(raw)
        answer = b""
        while part := _part(connection):
            answer += part
            # The rest is on its way, or nothing more comes.
            connection.settimeout(0.2 if b"\r\n\r\n" in answer.removeprefix(b"HTTP/1.1 100") else 20)
    return [int(status) for status in re.findall(rb"(?:^|\n|})HTTP/1\.1 (\d+) ", answer)], answer


def _part(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except TimeoutError:
        return b""


GET: dict[str, Any] = {"content": b"", "method": b"GET", "size": False}


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        # Encodings.
        (request(gzip.compress(PLAIN, mtime=0), b"Content-Encoding: gzip"), 415),
        (request(zlib.compress(PLAIN), b"Content-Encoding: deflate"), 415),
        (request(b"\x8b\x02\x80" + PLAIN, b"Content-Encoding: br"), 415),
        (request(b"\x28\xb5\x2f\xfd" + PLAIN, b"Content-Encoding: zstd"), 415),
        (request(PLAIN, b"Content-Encoding: identity"), 200),
        (request(PLAIN.decode().encode("utf-16")), 415),
        (
            request(PLAIN.decode().encode("utf-16-be"), head=HOST + JSON.strip() + b"; charset=utf-16be\r\n"),
            415,
        ),
        (request(head=HOST + b'Content-Type: application/json; charset="UTF-8"\r\n'), 200),
        (request(b'{"category":"cl\xf6thes"}'), 400),
        (request(b"\xef\xbb\xbf" + PLAIN), 200),
        (request(b"\xef\xbb\xbf" * 2 + PLAIN), 400),
        (request(b"\xef\xbb\xbf" * 100_000 + PLAIN), 400),
        # Bodies.
        (chunked(PLAIN[:5], PLAIN[5:]), 200),
        (chunked(PLAIN[:5], PLAIN[5:], extension=b";a=b"), 200),
        (chunked(PLAIN, trailers=b"X-A: 1\r\n"), 200),
        (chunked(PLAIN, trailers=b"Host: evil.example\r\nOrigin: https://evil.example\r\n"), 200),
        (chunked(PLAIN, trailers=b"X-A: 1\r\n" * 20_000), 431),
        (request(b"", b"Transfer-Encoding: chunked", size=False) + b"zz\r\n", 400),
        (request(PLAIN, b"Transfer-Encoding: gzip"), 400),
        (request(PLAIN, b"Transfer-Encoding: chunked"), 400),
        (request(PLAIN, b"Content-Length: 3"), 400),
        (request(PLAIN, b"Content-Length: %d" % len(PLAIN)), 400),
        (request(PLAIN, b"Content-Length: -4", size=False), 400),
        (request(PLAIN, b"Content-Length: " + b"9" * 30, size=False), 400),
        (request(b"", size=False), 400),
        (request(b" " * 1_000_001), 413),
        # Targets.
        (request(target=b"http://localhost/v1/rank"), 200),
        (request(target=b"http://localhost"), 400),
        (request(target=b"http://evil.example/v1/rank"), 400),
        (request(target=b"localhost:80", method=b"CONNECT"), 400),
        (request(target=b"*", method=b"OPTIONS"), 404),
        (request(target=b"v1/rank"), 400),
        (request(target=b"/v1/r%61nk"), 200),
        (request(target=b"/v1%2Frank"), 200),
        (request(target=b"/v1/rank?a=b&c#d"), 200),
        (request(target=b"/v1/rank?" + b"a=b&" * 7000), 200),
        (request(target=b"/v1/rank?" + b"a=b&" * 70_000), 431),
        (request(target=b"//v1/rank"), 404),
        (request(target=b"/v1//rank"), 404),
        (request(target=b"/v1/../v1/rank"), 404),
        (request(target=b"/v1/%2e%2e/v1/rank"), 404),
        (request(target=b"/v1/ra nk"), 400),
        (request(**GET, target=b"/v1/importance/clo%00thes"), 422),
        (request(**GET, target=b"/v1/importance/clo%2Fthes"), 404),
        (request(**GET, target=b"/v1/importance/%ff%fe"), 422),
        (request(**GET, target=b"/v1/importance/%ed%a0%80"), 422),
        (request(**GET, target=b"/v1/importance/%zz%"), 422),
        (request(**GET, target=b"/v1/importance/a%0d%0aX-Injected:%201"), 422),
        (request(**GET, target="/v1/importance/größe".encode()), 400),
        (request(b"", method=b"DELETE", target=b"/v1/sessions/s/events/-1"), 422),
        (request(b"", method=b"DELETE", target=b"/v1/sessions/s/events/" + b"9" * 5000), 422),
        (request(b"", method=b"DELETE", target=b"/v1/sessions/s/events/%D9%A1"), 422),
        # Methods and versions.
        (request(b"", method=b"HEAD"), 405),
        (request(b"", method=b"HEAD", target=b"/health"), 200),
        (request(b"", method=b"OPTIONS"), 405),
        (request(b"", method=b"TRACE"), 405),
        (request(method=b"PATCH"), 405),
        (request(method=b"BREW"), 400),
        (request(version=b"HTTP/1.0"), 200),
        (request(version=b"HTTP/3.7"), 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", 400),
        # Headers.
        (request(PLAIN, b"Host: evil.example"), 403),
        (request(PLAIN, b"Expect: 200-ok"), 200),
        (request(PLAIN, b"Connection: Upgrade", b"Upgrade: TLS/1.0"), 200),
        (request(PLAIN, b"X-A: a\x00b"), 400),
        (request(PLAIN, b"X-A : a"), 400),
        (request(PLAIN, b"X-A: a", b" b"), 400),
        (request(PLAIN, b": a"), 400),
        (request(**GET, target=b"/health").replace(b"\r\n\r\n", b"\r\nRange: bytes=0-1\r\n\r\n"), 200),
        (b"\r\n\r\n" + request(), 200),
        # JSON.
        (request(b'{"category":"clothes","diversity":NaN}'), 400),
        (request(b'{"category":"clothes","filters":[{"attribute":"price","minimum":Infinity}]}'), 400),
        (request(b'{"category":"clothes","filters":[{"attribute":"price","minimum":1e999}]}'), 422),
        (request(b'{"category":"clothes","boosts":[{"target":"i1","amount":1e308}]}'), 422),
        (request(b'{"category":"clothes","size":' + b"9" * 5000 + b"}"), 422),
        (request(b'{"category":"shoes","category":"clothes"}'), 200),
        (request(b"[" * 900_000), 422),
        (request(b'{"category":"clothes","x":' + b"[" * 400_000 + b"]" * 400_000 + b"}"), 422),
        (request(b'{"category":"clothes","candidates":' + b"[" * 900_000), 422),
        (request(b'{"category":"clo\\ud800thes"}'), 400),
        (request(b'{"category":"clo\xed\xa0\x80thes"}'), 400),
        (request(b'{"category":"clo\\u0000thes"}'), 422),
        (request(b'{"category":"clothes","user":"a\\u0000b"}'), 200),
        (request(b'{"category":"clothes","text":"\\ud83d\\ude00"}'), 422),
        (request(b'{"category":"clothes"} {}'), 400),
        (request(b"[]"), 422),
        (request(b"null"), 422),
        (request(PLAIN, method=b"GET", target=b"/v1/audit"), 200),
    ],
    ids=lambda value: repr(value[-60:]) if isinstance(value, bytes) else None,
)
def test_whatever_a_client_sends_has_its_status(
    url: str, caplog: pytest.LogCaptureFixture, raw: bytes, status: int
) -> None:
    with caplog.at_level(logging.WARNING):
        seen, answer = statuses(url, raw)
    assert seen == [status], answer
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert b"cache-control: no-store" in head
    assert b"x-content-type-options: nosniff" in head
    assert b"x-injected: 1\r\n" not in head
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


def test_a_client_that_waits_for_100_continue_gets_it_and_its_answer(url: str) -> None:
    assert statuses(url, request(PLAIN, b"Expect: 100-continue"))[0] == [100, 200]


def test_requests_that_come_together_are_answered_in_their_order(url: str) -> None:
    raw = request() + request(target=b"/v1/nowhere") + request(**GET, target=b"/health")
    assert statuses(url, raw)[0] == [200, 404, 200]


def test_every_status_that_a_client_may_get_is_on_the_page_of_the_service() -> None:
    page = (Path(__file__).parents[2] / "docs" / "service.md").read_text(encoding="utf-8")
    for status in (400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 431, 500, 503):
        assert f"| {status} |" in page
