"""HTTPS from files: nobody else of the machine reads the key, and handshakes do not pile up."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from kgrank.errors import InputError
from kgrank.serving import tls
from kgrank.serving.protocol import Bounds
from kgrank.serving.tls import server_context

QUESTION = {"category": "clothes", "size": 3}
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")


def certificate(folder: Path, name: str = "server", password: str | None = None) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    secret = ["-nodes"] if password is None else ["-passout", f"pass:{password}"]
    what = ["req", "-x509", "-newkey", "rsa:2048", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-out", str(paths[0]), "-keyout", str(paths[1])]
    subprocess.run(["openssl", *what, *names, *secret, *files], check=True, capture_output=True)
    paths[1].chmod(0o600)
    return paths


def test_over_tls_rankings_are_answered_on_one_connection_and_plain_http_is_not(
    stored: str, running: Any, tmp_path: Path
) -> None:
    cert, key = certificate(tmp_path)
    with running(stored, tls=server_context(cert, key)) as url:
        trusted = ssl.create_default_context(cafile=cert)
        with httpx.Client(base_url=url, verify=trusted) as http:
            for _ in range(3):
                assert http.post("/v1/rank", json=QUESTION).status_code == 200
            assert http.post("/v1/rank", content=b" " * 1_100_000).status_code in (413, 415)
        with pytest.raises(httpx.TransportError):
            httpx.get(url.replace("https", "http") + "/health")
        metrics = httpx.get(f"{url}/metrics", verify=trusted).text
        assert 'kgrank_refused_total{reason="handshake"}' in metrics


def test_a_request_in_the_same_packet_as_the_end_of_the_handshake_is_answered(
    stored: str, running: Any, tmp_path: Path
) -> None:
    cert, key = certificate(tmp_path)
    body = json.dumps(QUESTION).encode()
    head = b"POST /v1/rank HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    raw = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with running(stored, tls=server_context(cert, key)) as url:
        address = urlsplit(url)
        for _ in range(5):
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = ssl.create_default_context(cafile=cert).wrap_bio(
                incoming, outgoing, server_hostname="localhost"
            )
            with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
                while True:
                    try:
                        client.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        connection.sendall(outgoing.read())
                        incoming.write(connection.recv(65536))
                client.write(raw)
                connection.sendall(outgoing.read())
                answer = b""
                while not answer:
                    received = connection.recv(65536)
                    assert received
                    incoming.write(received)
                    try:
                        answer = client.read(65536)
                    except ssl.SSLWantReadError:
                        continue
                assert answer.startswith(b"HTTP/1.1 200 ")


def test_connections_that_begin_no_tls_lock_nobody_out(
    stored: str, running: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "HANDSHAKE", 1.0)
    cert, key = certificate(tmp_path)
    trusted = ssl.create_default_context(cafile=cert)
    with running(stored, tls=server_context(cert, key), bounds=Bounds(connections=20)) as url:
        address = urlsplit(url)
        idle = [socket.create_connection((address.hostname, address.port), timeout=20) for _ in range(60)]
        assert httpx.get(f"{url}/health", verify=trusted).status_code == 200
        assert idle[0].recv(10) == b""
        time.sleep(1.5)
        assert idle[-1].recv(10) == b""
        metrics = httpx.get(f"{url}/metrics", verify=trusted).text
        assert 'kgrank_refused_total{reason="handshakes"}' in metrics
        for connection in idle:
            connection.close()


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_a_private_key_that_others_may_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    cert, key = certificate(tmp_path)
    key.chmod(mode)
    with pytest.raises(InputError, match=f"{mode:03o}") as refused:
        server_context(cert, key)
    assert refused.value.todo == f"chmod 600 {key}"


def test_a_private_key_that_a_group_may_read_is_taken(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    key.chmod(0o640)
    server_context(cert, key)


@pytest.mark.parametrize("password", [None, "", "wrong", "x" * 2000])
def test_a_private_key_with_a_password_needs_the_right_one_and_asks_nobody(
    tmp_path: Path, password: str | None
) -> None:
    cert, key = certificate(tmp_path, password="right")
    server_context(cert, key, "right")
    with pytest.raises(InputError, match="KGRANK_TLS_PASSWORD"):
        server_context(cert, key, password)


def test_files_that_do_not_belong_together_or_are_none_are_named(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    _, other = certificate(tmp_path, "other")
    text = tmp_path / "text"
    text.write_text("no certificate", encoding="utf-8")
    text.chmod(0o600)
    for pair in (
        (cert, other),
        (text, key),
        (cert, text),
        (cert, tmp_path / "gone"),
        (tmp_path, key),
        (cert, None),
    ):
        cert.chmod(0o600)
        with pytest.raises(InputError):
            server_context(*pair)
