"""The liking of items by the graph of purchases as a sealed file beside the weights, and in a store."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from kgrank.arrays import Floats, Ints
from kgrank.codec import DocumentError, decode, encode
from kgrank.errors import WeightsError
from kgrank.files import make_folder, remove_file, write_text
from kgrank.graph.store import GraphStore
from kgrank.weights.artefact import open_sealed, seal
from kgrank.weights.graph_filter import GraphFilter, Relation
from kgrank.weights.liking import LikingWeights
from kgrank.weights.model import PRIVACY_NOTICE, LearnedWeights

FORMAT = 1
"""Number of the document's format; it grows when a field changes its name or its meaning."""

NETWORK = "network.json"
"""The file beside ``weights.json``; ``NAME.network.json`` beside ``NAME.json``."""

REALS, WHOLES = "float32", "int64"
"""Types of the numbers of an array, little-endian."""

_AGAIN = "Train again with `kgrank train`"


@dataclass(frozen=True)
class _Array:
    """An array: the type of its numbers, its shape, and its bytes row by row in base64."""

    type: str
    shape: tuple[int, ...]
    data: str


@dataclass(frozen=True)
class _Relation:
    name: str
    group: _Array
    vectors: _Array
    people: _Array


@dataclass(frozen=True)
class _Filter:
    people: _Array
    strength: _Array
    vectors: _Array
    mean: _Array
    relations: tuple[_Relation, ...]


@dataclass(frozen=True, kw_only=True)
class _Document:
    """``LikingWeights`` as a document has them."""

    version: str
    notice: str
    items: tuple[str, ...]
    filter: _Filter
    popularity: float
    few_buyers: float
    beside_history: float
    kinds: tuple[str, ...]
    notes: tuple[str, ...]


def liking_document(liking: LikingWeights, where: object = None) -> str:
    """The text that is kept with the weights, checked as it is checked on reading.

    Raises:
        WeightsError: A number is NaN or infinite, or arrays do not fit each other.
    """
    learned = liking.filter
    relations = tuple(
        _Relation(r.name, _packed(r.group, WHOLES), _packed(r.vectors, REALS), _packed(r.people, WHOLES))
        for r in learned.relations
    )
    document = _Document(
        version=liking.version,
        notice=PRIVACY_NOTICE,
        items=liking.items,
        filter=_Filter(
            _packed(learned.people, WHOLES),
            _packed(learned.strength, REALS),
            _packed(learned.vectors, REALS),
            _packed(learned.mean, REALS),
            relations,
        ),
        popularity=liking.popularity,
        few_buyers=liking.few_buyers,
        beside_history=liking.beside_history,
        kinds=liking.kinds,
        notes=liking.notes,
    )
    body = encode(document)
    _checked(body, where)
    return seal(FORMAT, body, where)


def liking_of(text: str, where: object = None) -> LikingWeights:
    """The liking of a document.

    Raises:
        WeightsError: Not such a document, cut off, edited (the checksum differs), of another format, with NaN, or
            with arrays that do not fit each other.
    """
    return _checked(open_sealed(text, FORMAT, where), where)


def network_path(weights_path: Path | str) -> Path:
    """The file with the liking that belongs to a weights file."""
    path = Path(weights_path)
    return path.with_name(NETWORK if path.stem == "weights" else f"{path.stem}.{NETWORK}")


def write_liking(weights_path: Path | str, liking: LikingWeights | None) -> None:
    """Writes the file beside a weights file; without a liking, one of an earlier run is removed.

    Raises:
        InputError: The file cannot be written.
        WeightsError: A number is NaN or infinite.
    """
    path = network_path(weights_path)
    if liking is None:
        remove_file(path)
        return
    text = liking_document(liking, path)
    make_folder(path.parent)
    write_text(path, text, private=True)


def read_liking(weights_path: Path | str, weights: LearnedWeights) -> LikingWeights | None:
    """The liking beside a weights file; None where there is no file.

    Raises:
        WeightsError: The file is damaged, or belongs to other weights.
    """
    path = network_path(weights_path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(f"cannot be read ({error})", where=path, todo=_AGAIN) from None
    return _of_version(liking_of(text, path), weights, path)


def served_liking(store: GraphStore, weights: LearnedWeights) -> LikingWeights | None:
    """The liking that a store has with a version of the weights; None where it has none.

    Raises:
        WeightsError: Its document is damaged, or belongs to other weights.
    """
    # No statement that is handed out reads it: it holds counts of what few people did.
    texts = store.nodes("Weights", pl.Series([weights.version]))["network"].to_list()
    if not texts or not texts[0]:
        return None
    where = f"{store.address}, network of weights {weights.version}"
    return _of_version(liking_of(texts[0], where), weights, where)


def _of_version(liking: LikingWeights, weights: LearnedWeights, where: object) -> LikingWeights:
    if liking.version != weights.version:
        raise WeightsError(
            f"the network belongs to weights {liking.version}",
            where=where,
            expected=f"that of {weights.version}",
            todo=_AGAIN,
        )
    return liking


def _packed(array: Floats | Ints, kind: str) -> _Array:
    # A number that is too large becomes infinite, which the check on writing refuses.
    with np.errstate(over="ignore"):
        data = np.ascontiguousarray(array, np.dtype(kind).newbyteorder("<"))
    return _Array(kind, array.shape, base64.b64encode(data.tobytes()).decode())


def _checked(body: dict[str, Any], where: object) -> LikingWeights:
    """Decodes the body of a document and checks what types cannot say."""
    try:
        document = decode(_Document, body)
        learned = _filter(document.filter, len(document.items))
        if len(set(document.items)) < len(document.items):
            raise _problem("an item is there twice", "items")
        if len({r.name for r in learned.relations}) < len(learned.relations):
            raise _problem("a relation is there twice", "relations", "filter")
    except DocumentError as error:
        location = f" at {error.path_text}" if error.path else ""
        raise WeightsError(f"{error.problem}{location}", where=where, todo=_AGAIN) from None
    return LikingWeights(
        version=document.version,
        items=document.items,
        filter=learned,
        popularity=document.popularity,
        few_buyers=document.few_buyers,
        beside_history=document.beside_history,
        kinds=document.kinds,
        notes=document.notes,
    )


def _filter(stored: _Filter, items: int) -> GraphFilter:
    mean = _reals(stored.mean, (None,), "mean", "filter")
    width = len(mean)
    return GraphFilter(
        _counts(stored.people, items, "people", "filter"),
        _reals(stored.strength, (items,), "strength", "filter"),
        _reals(stored.vectors, (items, width), "vectors", "filter"),
        mean,
        tuple(_relation(r, k, items, width) for k, r in enumerate(stored.relations)),
    )


def _relation(stored: _Relation, number: int, items: int, width: int) -> Relation:
    path = (number, "relations", "filter")
    vectors = _reals(stored.vectors, (None, None), "vectors", *path)
    if vectors.shape[1] > width:
        raise _problem(f"{vectors.shape[1]} coordinates where {width} at most are expected", "vectors", *path)
    group = _wholes(stored.group, (items,), "group", *path)
    if len(group) and not -1 <= group.min() <= group.max() < len(vectors):
        raise _problem(f"a group that is not one of {len(vectors):,}", "group", *path)
    return Relation(stored.name, group, vectors, _counts(stored.people, len(vectors), "people", *path))


def _reals(stored: _Array, shape: tuple[int | None, ...], *path: str | int) -> Floats:
    numbers = np.asarray(_unpacked(stored, REALS, shape, path), np.float64)
    if not np.isfinite(numbers).all():
        raise _problem("a number is NaN or infinite", *path)
    return numbers


def _wholes(stored: _Array, shape: tuple[int | None, ...], *path: str | int) -> Ints:
    return np.asarray(_unpacked(stored, WHOLES, shape, path), np.int64)


def _counts(stored: _Array, length: int, *path: str | int) -> Ints:
    counts = _wholes(stored, (length,), *path)
    if (counts < 0).any():
        raise _problem("a number of people is below 0", *path)
    return counts


def _unpacked(
    stored: _Array, kind: str, shape: tuple[int | None, ...], path: Iterable[str | int]
) -> np.ndarray[Any, Any]:
    """The array in the bytes, of the type and the shape that it must have."""
    if stored.type != kind:
        raise _problem(f"numbers of type {stored.type!r} where {kind} is expected", *path)
    same = len(stored.shape) == len(shape) and all(
        n >= 0 and wanted in (None, n) for n, wanted in zip(stored.shape, shape, strict=True)
    )
    if not same:
        expected = " × ".join("any" if n is None else f"{n:,}" for n in shape)
        found = " × ".join(f"{n:,}" for n in stored.shape)
        raise _problem(f"an array of {found or 'no'} numbers where {expected} is expected", *path)
    try:
        data = base64.b64decode(stored.data, validate=True)
        return np.frombuffer(data, np.dtype(kind).newbyteorder("<")).reshape(stored.shape)
    except (binascii.Error, ValueError) as error:
        raise _problem(f"the bytes of an array are not its numbers ({error})", *path) from None


def _problem(text: str, *path: str | int) -> DocumentError:
    """An error with the path that leads to it, innermost step first."""
    error = DocumentError(text)
    error.path += path
    return error
