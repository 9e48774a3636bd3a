"""``kgrank init`` with prices in several currencies: one is read, and the page says what is left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kgrank.errors import InputError
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import read_mapping
from kgrank.ontology.model import AttributeType
from kgrank.ontology.read import read_ontology
from kgrank.profiling.folder import Initialised, initialise

ROWS = 60


def shop(folder: Path, price: Callable[[int], str], head: str = "price") -> Initialised:
    """A shop of sixty products with a price each."""
    rows = [
        f"p{n},{'Mugs' if n % 2 else 'Pots'},{('red', 'blue', 'green')[n % 3]},{price(n)}"
        for n in range(ROWS)
    ]
    (folder / "products.csv").write_text(f"sku,category,colour,{head}\n" + "\n".join(rows), encoding="utf-8")
    return initialise([folder / "products.csv"], folder / "out")


def reread(folder: Path, done: Initialised) -> Clean:
    mapping = read_mapping(done.folder / "mapping.yaml")
    return ingest(folder, mapping=mapping, ontology=read_ontology(done.folder / "ontology"))


@pytest.mark.parametrize("every", [3, 4, 10, 20, 60])
@pytest.mark.parametrize("rare", ["{} USD", "${}", "USD {}.50"])
def test_the_most_frequent_currency_is_read_as_a_number_and_the_rest_is_counted(
    tmp_path: Path, every: int, rare: str
) -> None:
    done = shop(tmp_path, lambda n: rare.format(n + 5) if n % every == 0 else f"{n + 5}.25 EUR")
    price = done.plan.attributes[-1]
    assert (price.type, price.unit) == (AttributeType.NUMBER, "EUR")
    (doubt,) = [d for d in done.page.doubts if d.column == "price"]
    assert doubt.text.startswith("The column is read as prices in EUR")
    assert doubt.text.endswith("cells in USD are left out.")
    assert doubt.count == ROWS // every
    values = reread(tmp_path, done).values
    assert len(values.filter(attribute="price")) == ROWS - ROWS // every
    (role,) = [r for r in done.page.roles if r.column == "price"]
    assert role.role == "attribute"
    assert "Number, in EUR" in role.detail


def test_prices_without_a_currency_are_in_that_of_the_head(tmp_path: Path) -> None:
    done = shop(tmp_path, lambda n: f"{n} EUR" if n % 3 == 0 else str(n), head="price (USD)")
    values = reread(tmp_path, done).values.filter(attribute="price")
    assert done.plan.attributes[-1].unit == "USD"
    assert len(values) == ROWS - ROWS // 3


def test_a_later_price_in_the_rare_currency_is_left_out_too(tmp_path: Path) -> None:
    done = shop(tmp_path, lambda n: f"{n} USD" if n == 7 else f"{n} EUR")
    path = tmp_path / "products.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",9 EUR", ",$1234"), encoding="utf-8")
    assert len(reread(tmp_path, done).values.filter(attribute="price")) == ROWS - 2


def test_words_that_happen_to_name_two_currencies_stay_words(tmp_path: Path) -> None:
    done = shop(tmp_path, lambda n: {0: "5 EUR", 1: "6 USD"}.get(n % 12, ("oak", "pine", "ash")[n % 3]))
    assert done.plan.attributes[-1].type is AttributeType.CHOICE
    assert not [d for d in done.page.doubts if "prices in" in d.text]


def test_an_unknown_unit_is_an_error_of_the_mapping(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text("items: [{file: a.csv, attributes: {price: {missing_units: [Taler]}}}]", encoding="utf-8")
    with pytest.raises(InputError, match=r"mapping\.yaml:1.*the unit 'Taler' in missing_units is not known"):
        read_mapping(path)
