"""What a bug report says of the installation and of the store, without personal data."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from kgrank import __version__
from kgrank.errors import StoreError
from kgrank.graph.connect import open_store
from kgrank.graph.summary import StoreSummary, summarise

REQUIRED = "required"
"""The group of the packages that kgrank always needs; the others are its extras."""

DEVELOPMENT = "dev"
"""The extra that no user has."""

Packages = Mapping[str, Mapping[str, str | None]]
"""Version of each package by group, None where it is not installed."""


@dataclass(frozen=True)
class BugReport:
    """Versions, and a store's summary or why it could not be read; neither where no store is named."""

    kgrank: str
    python: str
    platform: str
    packages: Packages
    store: StoreSummary | None = None
    refused: str | None = None


def bug_report(address: str | None) -> BugReport:
    """The report on this installation and on the store at an address, if there is one."""
    summary, refused = None, None
    if address is not None:
        try:
            with open_store(address, wait=0) as store:
                summary = summarise(store)
        except StoreError as error:
            refused = f"{type(error).__name__}: {without_secrets(error.problem, address)}"
    return BugReport(
        kgrank=__version__,
        python=f"{platform.python_version()}, {platform.python_implementation()}",
        platform=" ".join(filter(None, (platform.system(), platform.machine(), *platform.libc_ver()))),
        packages=packages(),
        store=summary,
        refused=refused,
    )


def packages() -> Packages:
    """The packages that kgrank names, by extra; empty where kgrank itself is not installed."""
    try:
        lines = requires("kgrank") or []
    except PackageNotFoundError:
        return {}
    groups: dict[str, dict[str, str | None]] = {REQUIRED: {}}
    for line in lines:
        name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        group = extra[1] if extra else REQUIRED
        if name != "kgrank" and group != DEVELOPMENT:
            groups.setdefault(group, {})[name] = _installed(name)
    return groups


def without_secrets(text: str, address: str) -> str:
    """A store's message without address, paths, names of machines and accounts, passwords and quoted words."""
    for secret in sorted(_secrets(address), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "…", text)
    text = re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`", "…", text)
    return re.sub(r"\S*[/\\@]\S*", "…", text)


def report_lines(report: BugReport) -> Iterator[str]:
    """The report as plain text, line by line."""
    yield f"kgrank {report.kgrank}"
    yield f"Python {report.python}"
    yield f"platform: {report.platform}"
    for group, names in report.packages.items():
        title = "packages" if group == REQUIRED else f"extra {group}"
        yield f"{title}: {_listed({name: number or 'not installed' for name, number in names.items()})}"
    if not report.packages:
        yield "packages: not known, since kgrank is not installed but read from a folder"
    if report.store is not None:
        yield from _store_lines(report.store)
    elif report.refused is not None:
        yield f"store: cannot be read. {report.refused}"
    else:
        yield "store: none is named"


def _store_lines(store: StoreSummary) -> Iterator[str]:
    yield f"store: {store.kind}{f', {store.server}' if store.server else ''}"
    yield f"schema: {store.schema} of {store.schema_expected}"
    for title, counts in (("nodes", store.nodes), ("edges", store.edges)):
        yield f"{title}: {_listed(counts) or 'not counted, since the schema is another one'}"
    if store.weights is None:
        yield "weights: none are served"
    else:
        number = "unknown" if store.weights.format is None else store.weights.format
        yield f"weights: {store.weights.version or 'a version that somebody named'}, format {number}"
    yield f"checks: {_listed(store.checks)}"


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _secrets(address: str) -> set[str]:
    """Words that must not leave this machine with a message about a store."""
    path = Path(address).expanduser()
    names = {address, str(path), os.path.realpath(path), path.name, str(Path.home()), Path.home().name}
    if "://" in address:
        parts = urlsplit(address)
        names |= {parts.hostname or "", parts.path.strip("/"), *dict(parse_qsl(parts.query)).values()}
    names |= {os.environ.get(f"NEO4J_{key}", "") for key in ("USER", "PASSWORD", "DATABASE")}
    return names - {""}
