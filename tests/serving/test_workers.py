"""Large questions are computed beside the event loop and have a deadline; small ones do not wait for them."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from kgrank.serving import work
from kgrank.serving.messages import BoostBody, CapBody, ExplainRequest, FilterBody, RankRequest
from kgrank.serving.problems import ProblemError
from kgrank.serving.work import Workers

SMALL = RankRequest(category="clothes")
LARGE = RankRequest(category="clothes", size=1000)
CAP = CapBody("brand", 0.1, 10)
BOOST = BoostBody("i1", 1.0)
FILTER = FilterBody("price", minimum=1.0)


@pytest.mark.parametrize(
    ("message", "is_beside"),
    [
        (SMALL, False),
        (RankRequest(category="clothes", boosts=(BOOST,) * 10), False),
        (LARGE, True),
        (RankRequest(candidates=tuple(f"i{k}" for k in range(101))), True),
        (RankRequest(category="clothes", caps=(CAP,)), True),
        (RankRequest(category="clothes", boosts=(BOOST,) * 11), True),
        (RankRequest(category="clothes", filters=(FILTER,) * 11), True),
        (ExplainRequest(item="i1", category="clothes"), True),
    ],
)
def test_what_may_take_long_is_computed_beside_the_event_loop(message: Any, is_beside: bool) -> None:
    async def compute() -> threading.Thread:
        return await Workers().compute(message, threading.current_thread)

    assert (asyncio.run(compute()) is not threading.main_thread()) == is_beside


def test_a_large_question_ends_at_its_deadline_and_small_ones_do_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work, "DEADLINE", 0.2)
    ended = threading.Event()

    async def ask() -> tuple[list[Any], str]:
        workers = Workers()
        waiting = [
            asyncio.create_task(workers.compute(LARGE, lambda: ended.wait(30)))
            for _ in range(work.WORKERS + 2)
        ]
        await asyncio.sleep(0.05)
        small = await workers.compute(SMALL, lambda: "at once")
        assert not any(task.done() for task in waiting)
        problems = await asyncio.gather(*waiting, return_exceptions=True)
        ended.set()
        return problems, small

    began = time.monotonic()
    problems, small = asyncio.run(ask())
    assert small == "at once"
    assert time.monotonic() - began < 20
    assert all(isinstance(p, ProblemError) and p.status == 503 for p in problems)
