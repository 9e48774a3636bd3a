from __future__ import annotations

import pytest

from kgrank.demo.shop import DemoShop, generate


@pytest.fixture(scope="session")
def shop() -> DemoShop:
    return generate(7)
