"""Behind a proxy, and for the pages of named sites."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from kgrank.errors import InputError
from kgrank.serving.browsers import origin
from kgrank.serving.keys import Role, add_key
from kgrank.serving.server import checked_root_path, network
from kgrank.serving.service import Settings

QUESTION = {"category": "clothes", "size": 3}
SHOP = "https://shop.example"


@pytest.mark.parametrize(("proxies", "others"), [((), 429), (("127.0.0.0/8",), 200), (("10.0.0.0/8",), 429)])
def test_forwarded_addresses_are_believed_of_trusted_proxies_only(
    stored: str, running: Any, proxies: tuple[str, ...], others: int
) -> None:
    # One request a caller, so that a second one shows who is taken for the caller.
    with running(stored, settings=Settings(rate=0.001, burst=1, log=False), proxies=proxies) as url:
        answers = [
            httpx.post(f"{url}/v1/rank", json=QUESTION, headers={"x-forwarded-for": address}).status_code
            for address in ("198.51.100.1", "198.51.100.2", "198.51.100.1")
        ]
    assert answers == [200, others, 429]


@pytest.mark.parametrize("address", ["*", "proxy.example", "10.0.0.0/64", ""])
def test_a_trusted_proxy_is_an_address_or_a_network(address: str) -> None:
    with pytest.raises(InputError, match=r"10\.0\.0\.0/24"):
        network(address)


def test_under_a_root_path_both_forms_of_a_path_are_answered_and_links_have_it(
    stored: str, running: Any
) -> None:
    settings = Settings(root_path=checked_root_path("/shop/ranker/"), log=False)
    with running(stored, settings=settings) as url, httpx.Client(base_url=url) as http:
        for path in ("/shop/ranker/v1/rank", "/v1/rank"):
            assert http.post(path, json=QUESTION).status_code == 200
        assert http.get("/shop/ranker/health").status_code == 200
        assert http.get("/shop/ranker").status_code == 404
        assert http.get("/shop/rankerv1/audit").status_code == 404
        assert http.get("/openapi.json").json()["servers"] == [{"url": "/shop/ranker"}]
        old = http.post("/v1/ways", json={"category": "clothes", "item": "i1"})
        assert "</shop/ranker/v1/counterfactuals>" in old.headers["link"]


@pytest.mark.parametrize("path", ["ranker", "//evil.example", "/a b", "/a?b", "/a/../b//"])
def test_a_root_path_is_a_path(path: str) -> None:
    with pytest.raises(InputError, match="/ranker"):
        checked_root_path(path)


@pytest.mark.parametrize("with_keys", [False, True])
def test_pages_of_named_origins_may_ask_and_others_may_not(
    stored: str, running: Any, tmp_path: Path, with_keys: bool
) -> None:
    keys = tmp_path / "keys.json" if with_keys else None
    key = {"authorization": f"Bearer {add_key(keys, 'page', Role.READ)}"} if keys else {}
    with (
        running(stored, keys, settings=Settings(origins=(SHOP,), log=False)) as url,
        httpx.Client(base_url=url) as http,
    ):

        def asked_first(origin: str) -> httpx.Response:
            names = {
                "access-control-request-method": "POST",
                "access-control-request-headers": "content-type",
            }
            return http.options("/v1/rank", headers={"origin": origin, **names})

        allowed = asked_first(SHOP)
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == SHOP
        assert asked_first("https://evil.example").status_code == 400
        answer = http.post("/v1/rank", json=QUESTION, headers={"origin": SHOP, **key})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, SHOP)
        assert "Origin" in answer.headers["vary"]
        other = http.post("/v1/rank", json=QUESTION, headers={"origin": "https://evil.example", **key})
        assert other.status_code == (200 if with_keys else 403)
        assert "access-control-allow-origin" not in other.headers


def test_without_named_origins_no_page_of_another_site_may_read_an_answer(stored: str, running: Any) -> None:
    with running(stored) as url:
        answer = httpx.options(
            f"{url}/v1/rank", headers={"origin": SHOP, "access-control-request-method": "POST"}
        )
    assert answer.status_code in (403, 405)
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("text", ["*", "null", "shop.example", f"{SHOP}/", f"{SHOP}/page", f"{SHOP},{SHOP}"])
def test_an_origin_is_a_scheme_a_host_and_a_port(text: str) -> None:
    with pytest.raises(InputError, match=r"https://shop\.example"):
        origin(text)


def test_an_origin_is_compared_as_browsers_write_it() -> None:
    assert origin("HTTPS://Shop.Example:443") == SHOP
    assert origin("http://localhost:3000") == "http://localhost:3000"
