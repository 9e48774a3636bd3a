"""Rules in conflict: smallest sets of rules that hold together far less often than each of them does."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

from kgrank.arrays import Floats, Ints, Truths

Bits = npt.NDArray[np.uint64]

RARER = 3.0
"""Rules are in conflict if all hold together so many times less often than independent ones would."""

CANDIDATES = 20_000
"""Most sets of one size that are all examined; beyond, sets are built rule by rule."""

MOST_BUILT = 20
"""How many sets are built rule by rule."""

CHUNK = 2_000


def smallest_sets(
    holds: Truths, minimum: float, confidence: Sequence[float] | Floats
) -> list[tuple[int, ...]]:
    """Sets of rules in conflict: in fewer draws than ``minimum`` all hold, while those of every part of them do.

    Sets are searched from the smallest up. The least sure rule of each (of equals the last) then yields and is in
    no further set, so that one rule in conflict with many others is not named once for each of their mixtures. A
    set built rule by rule may not be of the fewest rules there are, but none can be left out of it.

    Args:
        holds: (rules, draws) whether each rule holds.
        minimum: Number of draws.
        confidence: (rules,) the confidence in each.

    Returns:
        Rows of ``holds``, ascending in each set. A rule that holds too rarely by itself is in none.
    """
    bits = _packed(holds)
    counts = _count(bits)
    left = np.flatnonzero(counts >= minimum).tolist()
    alone = counts / holds.shape[1]
    conflicts: list[tuple[int, ...]] = []
    size, larger = 2, True
    while larger and 2 <= size <= len(left) and _together(bits, left) < minimum:
        if comb(len(left), size) > CANDIDATES:
            return conflicts + _built(bits, left, minimum, confidence, alone)
        of_size, larger = _of_size(bits, left, size, minimum, alone)
        for rules in of_size:
            if set(rules) <= set(left):
                conflicts.append(rules)
                left.remove(yielding(rules, confidence))
        size += 1
    return conflicts


def yielding(rules: Sequence[int], confidence: Sequence[float] | Floats) -> int:
    """Of some rules the least sure, of equals the last."""
    return min(reversed(rules), key=lambda rule: confidence[rule])


def _packed(holds: Truths) -> Bits:
    """(rules, words) the draws as bits."""
    padded = np.pad(holds, ((0, 0), (0, -holds.shape[1] % 64)))
    return np.packbits(padded, axis=1).view(np.uint64)


def _count(bits: Bits) -> Ints:
    """Number of draws in each row."""
    return np.asarray(np.bitwise_count(bits).sum(-1, dtype=np.int64))


def _together(bits: Bits, rules: Sequence[int]) -> int:
    """Number of draws in which all of some rules hold."""
    return int(_count(np.bitwise_and.reduce(bits[list(rules)], axis=0)))


def _of_size(
    bits: Bits, left: Sequence[int], size: int, minimum: float, alone: Floats
) -> tuple[list[tuple[int, ...]], bool]:
    """The conflicts of one size, the rarest first; and whether larger ones may be smallest."""
    sets = np.array(list(combinations(left, size)))
    together = np.empty(len(sets), np.int64)
    parts = np.full(len(sets), np.iinfo(np.int64).max)
    for k in range(0, len(sets), CHUNK):
        rows = bits[sets[k : k + CHUNK]]
        together[k : k + CHUNK] = _count(np.bitwise_and.reduce(rows, axis=1))
        for out in range(size):
            without = _count(np.bitwise_and.reduce(np.delete(rows, out, axis=1), axis=1))
            parts[k : k + CHUNK] = np.minimum(parts[k : k + CHUNK], without)
    draws = bits.shape[1] * 64
    rarer = RARER * together / draws < alone[sets].prod(1)
    smallest = np.flatnonzero((together < minimum) & (parts >= minimum) & rarer)
    order = smallest[np.argsort(together[smallest], kind="stable")]
    return [tuple(sets[k].tolist()) for k in order], bool((together >= minimum).any())


def _built(
    bits: Bits, left: Sequence[int], minimum: float, confidence: Sequence[float] | Floats, alone: Floats
) -> list[tuple[int, ...]]:
    """Conflicts among many rules: each set begins with the rules that leave the fewest draws."""
    conflicts: list[tuple[int, ...]] = []
    rest = list(left)
    for _ in range(MOST_BUILT):
        if len(rest) < 2 or _together(bits, rest) >= minimum:
            break
        rules = _cover(bits, rest, minimum)
        if RARER * _together(bits, rules) / (bits.shape[1] * 64) < alone[list(rules)].prod():
            conflicts.append(rules)
        rest.remove(yielding(rules, confidence))
    return conflicts


def _cover(bits: Bits, left: Sequence[int], minimum: float) -> tuple[int, ...]:
    """A set that holds together too rarely and that no rule can be left out of."""
    rest, chosen = list(left), []
    shared = np.full(bits.shape[1], ~np.uint64(0))
    while int(_count(shared)) >= minimum:
        best = rest.pop(int(np.argmin(_count(bits[rest] & shared))))
        chosen.append(best)
        shared = shared & bits[best]
    for rule in list(chosen):
        others = [r for r in chosen if r != rule]
        if len(others) > 1 and _together(bits, others) < minimum:
            chosen = others
    return tuple(sorted(chosen))
