"""Learned weights as a file: readable JSON with a checksum, and the item transitions beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from kgrank.codec import DocumentError, decode, encode
from kgrank.documents import load_json
from kgrank.errors import WeightsError
from kgrank.files import make_folder, write_file, write_text
from kgrank.graph.schema import split_value_id
from kgrank.weights.model import PRIVACY_NOTICE, CategoryWeights, LearnedWeights
from kgrank.weights.upgrade import weights_from_1

FORMAT = 2
"""Number of the file format; it grows when a field changes its name or its meaning."""
UPGRADES = {1: weights_from_1}
"""Earlier formats that are still read."""

TRANSITIONS = "transitions.parquet"
TRANSITION_COLUMNS = {"source": pl.String(), "target": pl.String(), "weight": pl.Float64()}
LINK_COLUMNS = ("forward", "backward", "next", "previous", "people", "together")
"""The counts behind a weight, where a whole shop is ranked by them."""

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]

_AGAIN = "Write the file again with `kgrank train`"
_SHARES_OFF = 1e-6


def write_weights(path: Path | str, weights: LearnedWeights) -> None:
    """Writes the weights to a readable, versioned JSON file; the file is complete or as it was before.

    Raises:
        WeightsError: A number is NaN or infinite, shares do not add up to 1, or segments overlap.
    """
    path = Path(path)
    make_folder(path.parent)
    text = document(weights, path)
    write_text(path, text, private=True)


def read_weights(path: Path | str) -> LearnedWeights:
    """Reads weights from a file written by ``write_weights``.

    Raises:
        WeightsError: No such file, not JSON, truncated, edited (the checksum differs), another format, an
            unknown field, NaN, or shares that do not add up to 1.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WeightsError("there is no such file", where=path, todo="Make it with `kgrank train`") from None
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(f"cannot be read ({error})", where=path, todo=_AGAIN) from None
    return weights_of(text, path)


def document(weights: LearnedWeights, where: object = None) -> str:
    """The text of the weights file, checked as it is checked on reading."""
    body = encode(weights)
    _checked(body, where)
    return seal(FORMAT, body, where, levels=4)


def weights_of(text: str, where: object = None) -> LearnedWeights:
    """The weights of a document, as ``read_weights`` reads them from a file."""
    return _checked(open_sealed(text, FORMAT, where, UPGRADES), where)


def seal(form: int, body: dict[str, Any], where: object = None, levels: int = 3) -> str:
    """A JSON document with its format and a checksum of all the rest.

    Args:
        form: Number of the format.
        body: The document.
        where: What an error calls it.
        levels: Depth down to which each member takes a line of its own.

    Raises:
        WeightsError: A number is NaN or infinite.
    """
    try:
        content = _layout({"format": form, **body}, levels).removeprefix("{")
    except ValueError:
        raise WeightsError("a number is NaN or infinite", where=where) from None
    return f'{{\n  "checksum": "{_checksum(content)}",{content}\n'


def open_sealed(
    text: str, form: int, where: object = None, upgrades: Mapping[int, Upgrade] | None = None
) -> dict[str, Any]:
    """The body of a document that ``seal`` wrote, in the present format.

    Args:
        text: The document.
        form: Number of the present format.
        where: What an error calls it.
        upgrades: How bodies of earlier formats become one of the present format.

    Raises:
        WeightsError: Not JSON, cut off, edited (the checksum differs), or of another format.
    """
    try:
        body = load_json(text)
    except ValueError as error:
        cut = not text.rstrip().endswith("}")
        problem = "the file is cut off" if cut else f"is not JSON ({error})"
        raise WeightsError(problem, where=where, expected="a whole weights file", todo=_AGAIN) from None
    if not isinstance(body, dict) or "format" not in body:
        raise WeightsError(
            "is not a weights file", where=where, expected='a JSON object with "format"', todo=_AGAIN
        )
    written = body.pop("format")
    upgrade = (upgrades or {}).get(written) if isinstance(written, int) else None
    if written != form and upgrade is None:
        raise WeightsError(
            f"has format {written!r}",
            where=where,
            expected=f"format {form}",
            todo="Read it with the kgrank release that wrote it, or train again",
        )
    content = text.rstrip().partition(",")[2]
    if body.pop("checksum", None) != _checksum(content):
        raise WeightsError(
            "was edited or damaged after it was written: its checksum differs",
            where=where,
            expected="the file as it was written",
            todo=f"Change the rules, not the file. {_AGAIN}",
        )
    try:
        return upgrade(body) if upgrade else body
    except (AttributeError, TypeError) as error:
        raise WeightsError(f"is not a document of format {written} ({error})", where=where) from None


def write_transitions(weights_path: Path | str, transitions: pl.DataFrame) -> None:
    """Writes item transitions (source, target, weight, counts) as ``transitions.parquet`` beside the weights."""
    counts = [pl.col(name).cast(pl.Float64) for name in LINK_COLUMNS if name in transitions.columns]
    table = transitions.select(*(pl.col(n).cast(kind) for n, kind in TRANSITION_COLUMNS.items()), *counts)
    if not table["weight"].is_finite().fill_null(False).all():
        raise WeightsError("a transition's weight is missing, NaN or infinite", where=TRANSITIONS)
    write_file(
        Path(weights_path).parent / TRANSITIONS,
        lambda file: table.write_parquet(file, metadata={"privacy": PRIVACY_NOTICE}),
        private=True,
    )


def read_transitions(weights_path: Path | str) -> pl.DataFrame:
    """The item transitions beside a weights file; an empty frame where there is no file."""
    path = Path(weights_path).parent / TRANSITIONS
    if not path.exists():
        return pl.DataFrame(schema=TRANSITION_COLUMNS)
    try:
        table = pl.read_parquet(path, glob=False)
        counts = [name for name in LINK_COLUMNS if name in table.columns]
        return table.select(*TRANSITION_COLUMNS, *counts)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise WeightsError(f"cannot be read ({error})", where=path, todo=_AGAIN) from None


def _checked(body: dict[str, Any], where: object) -> LearnedWeights:
    """Decodes the body of a document and checks what types cannot say."""
    try:
        weights = decode(LearnedWeights, body)
        for name, category in weights.categories.items():
            _check_category(name, category)
    except DocumentError as error:
        location = f" at {error.path_text}" if error.path else ""
        raise WeightsError(f"{error.problem}{location}", where=where, todo=_AGAIN) from None
    return weights


def _check_category(name: str, category: CategoryWeights) -> None:
    def problem(text: str) -> DocumentError:
        error = DocumentError(text)
        error.path += [name, "categories"]
        return error

    if category.category != name:
        raise problem(f"the category is called {category.category!r}")
    shares = sum(a.share for a in category.attributes)
    # Where no attribute has two values to choose from, nothing is decided, and all shares are 0.
    undecided = all(a.share == 0 and a.spread == 0 for a in category.attributes)
    if not undecided and abs(shares - 1) > _SHARES_OFF:
        raise problem(f"the shares add up to {shares:.6g}, not to 1,")
    attributes = {a.attribute for a in category.attributes}
    for utility in category.utilities:
        if split_value_id(utility.node)[0] not in attributes:
            raise problem(f"{utility.node!r} has a utility, but its attribute has no weight,")
        ends = [end for s in utility.segments for end in (s.start, s.stop)]
        if any(a > b for a, b in pairwise(ends)):
            raise problem(f"the segments of {utility.node!r} overlap or are out of order,")


def _checksum(content: str) -> str:
    """Of all that follows the checksum in the file."""
    return hashlib.sha256(content.encode()).hexdigest()


def _layout(value: Any, levels: int, margin: str = "") -> str:
    """JSON with line breaks down to a depth, so that an attribute or a value takes one line."""
    if not levels or not value or not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    inner = margin + "  "
    if isinstance(value, dict):
        rows = [
            f"{json.dumps(key, ensure_ascii=False)}: {_layout(x, levels - 1, inner)}"
            for key, x in value.items()
        ]
    else:
        rows = [_layout(x, levels - 1, inner) for x in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return opening + "\n" + ",\n".join(inner + row for row in rows) + "\n" + margin + closing
