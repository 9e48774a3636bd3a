"""What an address of a Neo4j server says: the server, the database and the shop in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from kgrank.errors import AccessError
from kgrank.graph.labels import PREFIX

EXPECTED = "bolt://host:7687, neo4j://host:7687, or one of them with /DATABASE and ?shop=NAME behind it"


@dataclass(frozen=True)
class Neo4jAddress:
    """An address in its parts.

    Attributes:
        server: What the driver is given: scheme, host, port and, with ``neo4j://``, the routing context.
        database: The path; None where there is none.
        shop: Which of several shops in the database; empty for the one without a name.
    """

    server: str
    database: str | None = None
    shop: str = ""

    @property
    def prefix(self) -> str:
        """What the labels of the shop begin with."""
        return f"{PREFIX}_{self.shop}_" if self.shop else PREFIX


def read_address(address: str) -> Neo4jAddress:
    """The parts of an address.

    Raises:
        AccessError: It has no host, a wrong port, a user or password in it, or a part that means nothing.
    """
    parts = urlsplit(address)
    try:
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        port_is_fine = False
    if "@" in unquote(address) or not parts.hostname or not port_is_fine:
        raise AccessError(
            "no address of a Neo4j server",
            where=re.sub(r"//.*(@|%40)", "//…@", address),
            expected=EXPECTED,
            todo="User and password go into NEO4J_USER and NEO4J_PASSWORD.",
        )
    if "#" in address:
        raise AccessError("an address with a part behind #", where=address, expected=EXPECTED)
    database = unquote(parts.path.removeprefix("/"))
    if database and not re.fullmatch(r"[A-Za-z][A-Za-z0-9.-]{2,62}", database):
        raise AccessError(
            f"{database!r} is no name of a database",
            where=address,
            expected="3 to 63 letters, digits, dots and dashes, a letter first",
        )
    shop, rest = _query(parts.query, address, routed=parts.scheme.startswith("neo4j"))
    server = f"{parts.scheme}://{parts.netloc}{f'?{urlencode(rest)}' if rest else ''}"
    return Neo4jAddress(server, database or None, shop)


def _query(query: str, address: str, *, routed: bool) -> tuple[str, dict[str, str]]:
    """The shop's name, and what routing is given; anything else is refused."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise AccessError(f"{query!r} cannot be read", where=address, expected="?shop=NAME") from error
    values = dict(pairs)
    if len(values) < len(pairs):
        raise AccessError(f"{query!r} gives one name twice", where=address, expected="each once")
    named = "shop" in values
    shop = values.pop("shop", "")
    if named and not re.fullmatch(r"[a-z][a-z0-9]{0,29}", shop):
        raise AccessError(
            f"{shop!r} is no name of a shop",
            where=address,
            expected="1 to 30 lower-case letters and digits, a letter first",
        )
    if values and not routed:
        raise AccessError(
            f"{min(values)} means nothing in an address of this kind",
            where=address,
            expected="?shop=NAME, or neo4j:// for a routing context",
        )
    return shop, values
