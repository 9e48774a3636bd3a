"""The benchmark of one rule over many categories, on a few of them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.rule_everywhere import compare, shop


def test_a_wrong_rule_over_a_dozen_categories_is_found_out_and_costs_less_than_in_one() -> None:
    shops = {f"c{k}": shop(f"c{k}", 8, 8, 0) for k in range(12)}
    everywhere, alone, said, _ = compare(shops, ("a1", "a0"))
    assert said.prob_rule_right < 0.01
    assert everywhere[:, 0].mean() < alone[:, 0].mean()
    assert (everywhere[:, 0] <= np.maximum(alone[:, 0], 0) + 0.001).all()
    right = compare(shops, ("a0", "a1"))[2]
    assert right.prob_rule_right > 0.99
