"""Categories whose prior variances are known are fitted under them; the others learn theirs from each other."""

from __future__ import annotations

import numpy as np
import pytest
from generated_shop import Generated

from kgrank.choice.logit.categories import category_posterior, fit_categories
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.fit import optimum
from kgrank.learning.training_data import read_training_data


@pytest.fixture(scope="module")
def sets(generated: Generated) -> dict[str, CategoryChoices]:
    graph, ontology, _ = generated
    return dict(read_training_data(graph, ontology, 0).own_choices)


def test_a_category_is_fitted_under_its_known_variances(sets: dict[str, CategoryChoices]) -> None:
    first = sorted(sets)[0]
    choices = sets[first]
    width, nuisance = choices.design.layout.width, len(choices.nuisance)
    known = np.linspace(0.01, 0.2, width)
    means = {c: np.full(s.design.layout.width, 0.1) for c, s in sets.items()}
    fits = fit_categories(sets, means, prior_variances={first: known})
    mean = np.concatenate([means[first], np.zeros(nuisance)])
    expected, _ = optimum(choices.choices, mean, np.concatenate([1 / known, np.full(nuisance, 1e-3)]))
    assert fits.fits[first].part_worths == pytest.approx(expected, abs=1e-4)
    posterior = category_posterior(choices, fits.fits[first], means[first], fits.variances, own_choices=True)
    assert posterior.prior_deviation == pytest.approx(np.sqrt(known))


def test_it_takes_no_part_in_the_variances_of_the_others(sets: dict[str, CategoryChoices]) -> None:
    first, *others = sorted(sets)
    means = {c: np.zeros(s.design.layout.width) for c, s in sets.items()}
    known = {first: np.full(sets[first].design.layout.width, 0.5)}
    among = fit_categories(sets, means, prior_variances=known).variances
    alone = fit_categories({c: sets[c] for c in others}, {c: means[c] for c in others}).variances
    assert (among.value, among.number) == (alone.value, alone.number)
