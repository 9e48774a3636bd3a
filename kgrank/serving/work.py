"""Large questions are computed beside the event loop, so that small ones do not wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from kgrank.serving.problems import ProblemError

WORKERS = 2
"""Large questions at once: each takes a share of the one interpreter from the small ones."""

DEADLINE = 20.0
"""Seconds for a large question, with its wait."""

MANY = 100
"""Items, candidates or rules of re-ranking from which a question is large."""

Answer = TypeVar("Answer")


def is_large(message: Any) -> bool:
    """Whether a message asks for what may take more than some milliseconds."""
    if getattr(message, "size", MANY + 1) > MANY or len(message.candidates or ()) > MANY:
        # All questions but those for a page say much of an item or of a category.
        return True
    return bool(message.caps) or len(message.boosts) + len(message.buries) + len(message.filters) > 10


class Workers:
    """Threads for large questions."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="question")

    async def compute(self, message: Any, function: Callable[[], Answer]) -> Answer:
        """The value of a function: at once for a small message, by a thread for a large one.

        Raises:
            ProblemError: It took too long; 503.
        """
        if not is_large(message):
            return function()
        try:
            async with asyncio.timeout(DEADLINE):
                return await asyncio.get_running_loop().run_in_executor(self._threads, function)
        except TimeoutError:
            raise ProblemError(
                503,
                f"no answer within {DEADLINE:g} s",
                "Narrow the question, or ask again later.",
                [(b"retry-after", b"5")],
            ) from None

    def close(self) -> None:
        """Ends the threads; what waits is not computed."""
        self._threads.shutdown(wait=False, cancel_futures=True)
