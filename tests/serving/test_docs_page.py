"""``/docs`` shows what the service answers, and loads nothing but itself."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from kgrank.serving.keys import Role, add_key


async def _get(client: Any, address: str, keys: Path) -> tuple[httpx.Response, dict[str, Any]]:
    async with client(address, keys=keys) as http:
        return await http.get("/docs"), (await http.get("/openapi.json")).json()


@pytest.fixture
def served(stored: str, client: Any, tmp_path: Path) -> tuple[httpx.Response, dict[str, Any]]:
    """The page and the document of a service that asks for keys, got without one."""
    keys = tmp_path / "keys.json"
    add_key(keys, "front", Role.READ)
    return asyncio.run(_get(client, stored, keys))


Served = tuple[httpx.Response, dict[str, Any]]


def test_the_page_needs_no_key(served: Served) -> None:
    page, _ = served
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"


def test_the_page_shows_every_operation_and_every_schema(served: Served) -> None:
    page, document = served
    shown = set(re.findall(r"<h3><code>(\w+) ([^<]+)</code></h3>", unescape(page.text)))
    assert shown == {(m.upper(), path) for path, methods in document["paths"].items() for m in methods}
    for name, schema in document["components"]["schemas"].items():
        section = page.text.split(f'id="schema-{name}"')[1].split("<section>")[0]
        assert all(f"<code>{field}</code>" in section for field in schema.get("properties", ())), name


def test_every_link_of_the_page_leads_somewhere_in_it(served: Served) -> None:
    page, _ = served
    links, anchors = re.findall(r'href="([^"]+)"', page.text), re.findall(r'id="([^"]+)"', page.text)
    assert set(links) - {"openapi.json"} <= {f"#{anchor}" for anchor in anchors}
    assert len(anchors) == len(set(anchors))


def test_the_page_loads_nothing_and_runs_no_script(served: Served) -> None:
    page, _ = served
    assert not re.search(r"<script|<link|<img|<iframe|\ssrc=|url\(|@import|\son\w+=|\sstyle=", page.text)
    assert not re.search(r"(href|action)=\"?(\w+:)?//", page.text)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"


def test_the_page_shows_the_example_of_a_message(served: Served) -> None:
    page, _ = served
    assert '"attribute": "price"' in unescape(page.text)


def test_a_field_of_the_page_says_what_it_means(served: Served) -> None:
    page, _ = served
    assert "In logits, against the average item of the category." in page.text
