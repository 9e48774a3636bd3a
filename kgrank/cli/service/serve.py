"""``kgrank serve`` and ``kgrank keys``: rankings over HTTP, and who may ask."""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from kgrank.cli.common import err, out, print_json
from kgrank.cli.options import Json, Store, default_store
from kgrank.errors import AccessError, InputError
from kgrank.interrupts import default_signals
from kgrank.serving.keys import KeyRing, Role, add_key, read_keys, remove_key

if TYPE_CHECKING:
    from ssl import SSLContext

FILE = Path("kgrank-keys.json")

FILES = 256
"""Open files beside the connections: the store, the log, libraries."""

File = Annotated[
    Path,
    typer.Option("--file", metavar="FILE", envvar="KGRANK_KEYS", help="Where the keys stand, as hashes."),
]
Name = Annotated[str, typer.Argument(help="Whose key it is.")]

keys_app = typer.Typer(help="API keys of the HTTP service: add, list, remove.", no_args_is_help=True)


def serve_command(
    store: Store = None,
    host: Annotated[
        str, typer.Option(help="Where to listen; beyond this machine with keys only.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    keys: Annotated[
        Path | None,
        typer.Option(metavar="FILE", envvar="KGRANK_KEYS", help="API keys, made by `kgrank keys add`."),
    ] = None,
    trust_proxy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS", help="A proxy's address or network: its forwarded headers are believed."
        ),
    ] = None,
    root_path: Annotated[
        str, typer.Option(metavar="PATH", help="The path under which a proxy offers the service: /ranker.")
    ] = "",
    cors: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="A site whose pages may ask: https://shop.example."),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PEM file of the certificate: HTTPS only.")
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="PEM file of its private key. A password is read from KGRANK_TLS_PASSWORD.",
        ),
    ] = None,
    rate: Annotated[float, typer.Option(min=0.1, help="Requests a second for each key.")] = 200.0,
    burst: Annotated[float, typer.Option(min=1, help="Requests at once on top of that.")] = 400.0,
    shared_sessions: Annotated[
        bool, typer.Option("--shared-sessions", help="Sessions that one key made are open to all keys.")
    ] = False,
    log: Annotated[bool, typer.Option("--log/--no-log", help="A line of JSON for each request.")] = True,
) -> None:
    """Serve rankings, facets, explanations, sessions and the audit over HTTP.

    Example: kgrank serve --store demo-shop/graph.lb --port 8000
    """
    from kgrank.graph.store import START_SECONDS
    from kgrank.serving.browsers import origin
    from kgrank.serving.current import Current
    from kgrank.serving.protocol import Bounds
    from kgrank.serving.server import (
        checked_root_path,
        collect_garbage_seldom,
        end_on_hangup,
        log_through,
        network,
        server_of,
    )
    from kgrank.serving.service import Settings, application

    _check_keys(keys, host)
    proxies = [network(address) for address in trust_proxy or ()]
    settings = Settings(
        rate=rate,
        burst=burst,
        shared_sessions=shared_sessions,
        root_path=checked_root_path(root_path),
        origins=tuple(map(origin, cors or ())),
        log=log,
    )
    tls = _tls(tls_cert, tls_key)
    current = Current(store or default_store())
    current.refresh(wait=START_SECONDS)
    if isinstance(current.store_error, AccessError):
        raise current.store_error
    connections = _allow_connections(Bounds.connections)
    application_ = application(current, None if keys is None else KeyRing(keys), settings)
    log_through(application_.service.log)
    with default_signals():
        end_on_hangup()
        collect_garbage_seldom()
        server_of(application_, host, port, proxies, Bounds(connections=connections), tls).run()


def _check_keys(keys: Path | None, host: str) -> None:
    """Refuses a service that others could use without a key, or nobody could.

    Raises:
        InputError: There are no keys where they are needed.
    """
    from kgrank.serving.browsers import is_loopback

    if keys is None and not is_loopback(host):
        raise InputError(
            f"no keys, and {host} can be reached from other machines",
            expected="--keys FILE",
            todo="Make a key: kgrank keys add NAME --role read.",
        )
    if keys is not None and not read_keys(keys):
        raise InputError("it holds no keys", where=keys, todo="Make one: kgrank keys add NAME --role read.")


def _tls(certificate: Path | None, key: Path | None) -> SSLContext | None:
    """The context of HTTPS; None without a certificate.

    Raises:
        InputError: A key without its certificate, or files that cannot be used.
    """
    from kgrank.serving.tls import server_context

    if certificate is not None:
        return server_context(certificate, key, os.environ.get("KGRANK_TLS_PASSWORD"))
    if key is not None:
        raise InputError("a private key without its certificate", expected="--tls-cert FILE")
    return None


@keys_app.command("add")
def add_command(
    name: Name,
    role: Annotated[
        Role, typer.Option(help="read: rankings; write: sessions too; admin: which weights are served too.")
    ] = Role.READ,
    expires: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="The last day on which it is valid, in UTC."),
    ] = None,
    file: File = FILE,
    json: Json = False,
) -> None:
    """Make a key, and print it this once.

    Example: kgrank keys add storefront --role write --expires 2027-12-31
    """
    last_day = None if expires is None else expires.date()
    secret = add_key(file, name, role, last_day)
    if json:
        print_json({"name": name, "role": role, "key": secret, "expires": last_day and last_day.isoformat()})
    else:
        out.print(secret, markup=False)
        err.print("It is not kept, only its hash: note it now.")


@keys_app.command("list")
def list_command(file: File = FILE, json: Json = False) -> None:
    """List the keys, without their secrets.

    Example: kgrank keys list
    """
    listed = read_keys(file)
    if json:
        print_json([{k: v for k, v in asdict(key).items() if k != "sha256"} for key in listed])
        return
    table = Table("name", "role", "made", "valid until", box=box.SIMPLE)
    for key in listed:
        end = key.expires or ""
        table.add_row(key.name, key.role, key.created, f"{end} (over)" if key.expired() else end)
    out.print(table if listed else "No keys yet: kgrank keys add NAME --role read")


@keys_app.command("remove")
def remove_command(name: Name, file: File = FILE) -> None:
    """Take a key away; a running service refuses it within a second.

    Example: kgrank keys remove storefront
    """
    remove_key(file, name)
    err.print(f"Removed: {name}.", markup=False)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("serve")(serve_command)
    app.add_typer(keys_app, name="keys")


def _allow_connections(wanted: int) -> int:
    """Raises this process's limit of open files, often 1,024; how many connections it then may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted + FILES if hard == resource.RLIM_INFINITY else min(hard, wanted + FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        # Some systems refuse what they say they allow.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return wanted
    return max(min(wanted, allowed - FILES), allowed // 2)
