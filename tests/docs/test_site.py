"""The documentation builds without a warning, its links lead somewhere, and it loads nothing from another host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
LOADED = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "use": ("href", "xlink:href"),
    "image": ("href", "xlink:href"),
    "form": ("action",),
}
"""Attributes that a browser fetches, or sends to, without a click on a link."""


@dataclass
class Page(HTMLParser):
    """What a page links to, loads, and can be linked to by."""

    text: str
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and values.get("rel") not in ("canonical", "next", "prev", "author", "license"):
            self.loaded.append(values["href"])
        self.loaded += [values[name] for name in LOADED.get(tag, ()) if name in values]
        self.loaded += re.findall(r"url\(([^)]*)\)", values.get("style", ""))


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """The pages of the site by path."""
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_internal_link_leads_to_a_page_and_an_anchor_of_it(pages: dict[Path, Page]) -> None:
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchors = pages[target].anchors if target in pages else set()
            if not target.is_file() or (parts.fragment and unquote(parts.fragment) not in anchors):
                broken.append(f"{path.name}: {link}")
    assert broken == []


def test_every_external_link_is_a_whole_address(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                assert parts.scheme in ("http", "https"), f"{path.name}: {link}"
                assert re.fullmatch(r"[\w.-]+(:\d+)?", parts.netloc), f"{path.name}: {link}"
                assert not re.search(r"\s", link), f"{path.name}: {link}"


def test_no_page_loads_anything_from_another_host(site: Path, pages: dict[Path, Page]) -> None:
    foreign = re.compile(r"\s*[\"']?(?:[a-z]+:)?//", re.IGNORECASE)
    for path, page in pages.items():
        assert [address for address in page.loaded if foreign.match(address)] == [], path.name
    for path in site.rglob("*.css"):
        loaded = re.findall(r"(?:url\(|@import\s+)([^);]*)", path.read_text(encoding="utf-8"))
        assert [address for address in loaded if foreign.match(address)] == [], path.name
    for path in (*site.rglob("*.js"), *pages):
        calls = r"(?:fetch|import|importScripts|open|src\s*=)\s*\(?\s*[\"'](?:https?:)?//"
        assert re.findall(calls, path.read_text(encoding="utf-8")) == [], path.name


def slugs(text: str) -> set[str]:
    """The anchors of a Markdown file's headings, as code hosts make them."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def links_with_anchors() -> Iterator[tuple[Path, str, str]]:
    """Links from a Markdown file of the checkout to a heading."""
    texts = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "graph" / "README.md"]
    for path in [*texts, *(ROOT / "docs").rglob("*.md")]:
        for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", path.read_text(encoding="utf-8")):
            yield path, target, anchor


def test_anchors_in_markdown_are_headings_of_the_file_that_is_linked() -> None:
    for path, target, anchor in links_with_anchors():
        there = path.parent / target if target else path
        assert anchor in slugs(there.read_text(encoding="utf-8")), f"{path.name}: {target}#{anchor}"


def test_the_texts_name_no_path_of_a_machine() -> None:
    texts = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    for path in texts:
        paths = re.findall(r"(?<![\w/.<])/(?:home|root|Users|tmp|work)/\S*", path.read_text(encoding="utf-8"))
        assert paths == [], path.name
