"""How often a key may ask: a bucket of tokens that fills at a steady rate."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

MOST = 10_000
"""Callers that are remembered."""


@dataclass
class _Bucket:
    tokens: float
    filled: float


class Limiter:
    """Requests a second for each caller, with some more at once.

    Args:
        rate: Tokens a second; one request takes one.
        burst: Tokens at most.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, caller: str, now: float | None = None) -> float:
        """Takes a token: 0, or the seconds until there is one."""
        moment = time.monotonic() if now is None else now
        bucket = self._buckets.get(caller)
        if bucket is None:
            bucket = self._buckets[caller] = _Bucket(self._burst, moment)
            if len(self._buckets) > MOST:
                self._buckets.popitem(last=False)
        bucket.tokens = min(self._burst, bucket.tokens + (moment - bucket.filled) * self._rate)
        bucket.filled = moment
        if bucket.tokens < 1.0:
            return (1.0 - bucket.tokens) / self._rate
        bucket.tokens -= 1.0
        return 0.0
