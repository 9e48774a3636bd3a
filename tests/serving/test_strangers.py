"""Whatever callers send is answered or refused with a reason, and a browser cannot be made to ask for others."""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from kgrank.serving.keys import Role, add_key

RANK: dict[str, Any] = {"category": "clothes", "size": 3}
PLAIN = json.dumps(RANK).encode()
JSON = {"content-type": "application/json"}


def ask(
    stored: str,
    client: Any,
    method: str,
    path: str,
    content: bytes | None = None,
    headers: dict[str, str] | None = None,
    keys: Path | None = None,
) -> httpx.Response:
    async def send() -> httpx.Response:
        async with client(stored, keys) as http:
            response: httpx.Response = await http.request(
                method, path, content=content, headers=JSON if headers is None else headers
            )
            return response

    return asyncio.run(send())


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("evil.example", 403),
        ("localhost.evil.example:8000", 403),
        ("192.168.0.9", 403),
        ("", 403),
    ],
)
def test_without_keys_only_the_names_of_this_machine_are_served(
    stored: str, client: Any, host: str, status: int
) -> None:
    for method, path, content in (("POST", "/v1/rank", PLAIN), ("GET", "/health", None)):
        assert ask(stored, client, method, path, content, {**JSON, "host": host}).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:8000", 200),
        ("http://localhost:9999", 403),
        ("https://evil.example", 403),
        ("null", 403),
    ],
)
def test_without_keys_a_page_of_another_origin_is_refused(
    stored: str, client: Any, origin: str, status: int
) -> None:
    headers = {**JSON, "host": "localhost:8000", "origin": origin}
    assert ask(stored, client, "POST", "/v1/rank", PLAIN, headers).status_code == status


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data", 415),
        (None, 415),
    ],
)
def test_without_keys_what_a_page_may_send_unasked_is_refused(
    stored: str, client: Any, kind: str | None, status: int
) -> None:
    headers = {} if kind is None else {"content-type": kind}
    response = ask(stored, client, "POST", "/v1/rank", PLAIN, headers)
    assert response.status_code == status
    assert status == 200 or "application/json" in response.text


def test_with_keys_any_host_and_any_kind_of_body_is_served(stored: str, client: Any, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    secret = add_key(keys, "front", Role.READ)
    headers = {"host": "shop.example", "authorization": f"Bearer {secret}", "content-type": "text/plain"}
    assert ask(stored, client, "POST", "/v1/rank", PLAIN, headers, keys).status_code == 200


def test_what_is_refused_without_keys_is_counted(stored: str, client: Any) -> None:
    async def send() -> str:
        async with client(stored) as http:
            await http.get("/health", headers={"host": "evil.example"})
            return str((await http.get("/metrics")).text)

    assert 'kgrank_refused_total{reason="host"} 1.0' in asyncio.run(send())


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"\xef\xbb\xbf" + PLAIN, {}, 200),
        (gzip.compress(PLAIN, mtime=0), {"content-encoding": "gzip"}, 415),
        (json.dumps(RANK).encode("utf-16"), {"content-type": "application/json; charset=utf-16"}, 415),
        (PLAIN.replace(b"clothes", b"cl\xf6thes"), {"content-type": "application/json; charset=latin1"}, 415),
        (b"\xef\xbb\xbf", {}, 400),
    ],
)
def test_a_mark_before_the_body_is_read_over_and_other_encodings_are_named(
    stored: str, client: Any, content: bytes, headers: dict[str, str], status: int
) -> None:
    assert ask(stored, client, "POST", "/v1/rank", content, {**JSON, **headers}).status_code == status


@pytest.mark.parametrize("path", ["/v1/rank", "/v1/nowhere", "/health", "/metrics", "/docs", "/openapi.json"])
def test_no_answer_is_kept_by_caches_or_taken_for_a_page(stored: str, client: Any, path: str) -> None:
    response = ask(stored, client, "GET", path)
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/v1/rank/", "/docs/", "//evil.example/", "/v1/audit/"])
def test_nothing_redirects(stored: str, client: Any, tmp_path: Path, path: str) -> None:
    keys = tmp_path / "keys.json"
    add_key(keys, "front", Role.READ)
    response = ask(stored, client, "GET", path, None, {"host": "evil.example"}, keys)
    assert response.status_code == 404
    assert "location" not in response.headers


def test_a_candidate_that_the_shop_does_not_have_does_not_cost_the_others_their_ranking(
    stored: str, client: Any
) -> None:
    def rank(*candidates: str) -> httpx.Response:
        body = json.dumps({"category": "clothes", "candidates": candidates}).encode()
        return ask(stored, client, "POST", "/v1/rank", body)

    every = [
        i["item"]
        for i in ask(
            stored, client, "POST", "/v1/rank", json.dumps({"category": "clothes", "size": 50}).encode()
        ).json()["items"]
    ]
    known, mixed, alone = rank(*every[:3]), rank(every[0], "gone-1", *every[1:3], "gone-2"), rank("gone-1")
    assert mixed.status_code == 200
    assert mixed.json()["items"] == known.json()["items"]
    assert any("gone-1, gone-2" in note for note in mixed.json()["notes"])
    assert alone.status_code == 422
    assert "gone-1" in alone.text


def test_a_store_that_another_process_holds_is_told_without_its_number() -> None:
    from kgrank.errors import StoreError
    from kgrank.serving.problems import unavailable

    error = StoreError(
        "the store is held by process 4711", where="/srv/x.lb", todo="Wait for it, or end process 4711."
    )
    assert b"4711" not in unavailable(error).body
    assert b"srv" not in unavailable(error).body


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda s: s.name)
def test_the_service_ends_in_order_on_a_hangup_as_on_a_termination(stored: str, number: int) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from kgrank.cli.main import main; main()"]
    process = subprocess.Popen(
        [*command, "serve", "--store", stored, "--port", str(port)], stderr=subprocess.PIPE, text=True
    )
    for _ in range(300):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/ready").status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.1)
    process.send_signal(number)
    _, log = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM
    assert "Finished server process" in log
    assert "Traceback" not in log
