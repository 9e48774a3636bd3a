"""A shop behind the service, in the process and behind a real server."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from pathlib import Path
from typing import Any

import httpx
import pytest
from shops import Example, example, load

from kgrank.graph.connect import open_store
from kgrank.serving.current import Current
from kgrank.serving.keys import KeyRing
from kgrank.serving.server import server_of
from kgrank.serving.service import Settings, application

Client = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
Running = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="session")
def made() -> Example:
    return example(11, items=40)


@pytest.fixture(scope="session")
def stored(made: Example, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store for tests that only read."""
    path = str(tmp_path_factory.mktemp("served") / "shop.lb")
    with open_store(path) as store:
        load(store, made)
    return path


@pytest.fixture(scope="session")
def two_versions(made: Example, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that serves v2, and holds v1, to be copied."""
    path = tmp_path_factory.mktemp("versions") / "shop.lb"
    with open_store(str(path)) as store:
        load(store, made, other_version=example(1011, version="v1").weights)
    return path


@pytest.fixture
def address(two_versions: Path, tmp_path: Path) -> str:
    """A store of the test's own that serves v2, and holds v1."""
    return str(shutil.copy(two_versions, tmp_path / "shop.lb"))


@asynccontextmanager
async def _client(
    address: str, keys: Path | None = None, settings: Settings | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    app = application(
        Current(address), None if keys is None else KeyRing(keys), settings or Settings(log=False)
    )
    async with app.router.router.lifespan_context(app.router):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client


@pytest.fixture
def client() -> Client:
    """The service of a store in this process."""
    return _client


@pytest.fixture(scope="session")
def running() -> Running:
    """The service of a store behind a real server, with options of ``server_of``; gives its URL."""
    return _running


@contextmanager
def _running(
    address: str,
    keys: Path | None = None,
    settings: Settings | None = None,
    **options: Any,
) -> Iterator[str]:
    app = application(
        Current(address), None if keys is None else KeyRing(keys), settings or Settings(log=False)
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = server_of(app, "127.0.0.1", port, **options)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield f"http{'s' if options.get('tls') else ''}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)
