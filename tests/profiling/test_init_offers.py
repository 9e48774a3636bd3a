"""``kgrank init`` with a file of prices that have periods: they are offers, not products."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import Mapping, read_mapping
from kgrank.ontology.read import read_ontology
from kgrank.profiling.folder import initialise

WEEK = timedelta(days=7)
HEADS = {
    "en": ("sku", "valid from", "valid to", "store", "price", "promotion"),
    "de": ("Artikelnummer", "gültig ab", "gültig bis", "Filiale", "Preis", "Aktion"),
    "fr": ("référence", "date de début", "date de fin", "magasin", "prix", "promotion"),
    "zh": ("商品编号", "开始日期", "结束日期", "门店", "价格", "促销"),
}


def write_shop(folder: Path, language: str = "en", *, end: bool = True, log_place: bool = True) -> list[Path]:
    """Twenty products, their weekly prices at two stores, and purchases."""
    item, start, stop, place, price, promotion = HEADS[language]
    ids = [f"L{n:02}" for n in range(20)]
    products = [f"{item},name,category,{price}"]
    offers = [",".join([item, start, *([stop] if end else []), place, price, promotion])]
    log = ["user,timestamp,event," + item + (f",{place}" if log_place else "")]
    for number, id_ in enumerate(ids):
        products.append(f"{id_},Lamp {number},{('Floor', 'Table')[number % 2]},{20 + number}.50")
        for week in range(4):
            first = date(2026, 3, 2) + week * WEEK
            last = [str(first + WEEK - timedelta(days=1))] if end else []
            store, shown = ("north", "south")[week % 2], ("none", "flyer", "window")[week % 3]
            offers.append(",".join([id_, str(first), *last, store, f"{18 + number + week}.50", shown]))
    for user in range(30):
        for week in range(4):
            day = date(2026, 3, 3) + week * WEEK
            store = f",{('north', 'south')[week % 2]}" if log_place else ""
            log.append(f"u{user},{day}T10:00:00,purchase,{ids[(7 * user + week) % 20]}{store}")
    paths = [folder / name for name in ("products.csv", "prices.csv", "log.csv")]
    for path, rows in zip(paths, (products, offers, log), strict=True):
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return paths


def initialised(paths: list[Path], out: Path) -> Mapping:
    initialise(paths, out)
    return read_mapping(out / "mapping.yaml")


@pytest.mark.parametrize("language", HEADS)
def test_prices_with_periods_are_offers_in_any_of_the_languages(tmp_path: Path, language: str) -> None:
    mapping = initialised(write_shop(tmp_path, language), tmp_path / "lamps")
    (offers,) = mapping.offers
    item, start, stop, place, price, promotion = HEADS[language]
    assert [source.file for source in mapping.items] == ["products.csv"]
    assert (offers.item.column, offers.start.column, offers.end.column) == (item, start, stop)
    assert offers.place.column == mapping.events[0].place.column == place
    assert [a.column for a in offers.attributes.values()] == [price, promotion]


def test_a_price_of_the_catalogue_and_of_an_offer_is_one_attribute(tmp_path: Path) -> None:
    mapping = initialised(write_shop(tmp_path), tmp_path / "lamps")
    assert (
        mapping.items[0].attributes["price"].column == mapping.offers[0].attributes["price"].column == "price"
    )


def test_what_init_wrote_reads_every_purchase_at_its_price(tmp_path: Path) -> None:
    initialised(write_shop(tmp_path), tmp_path / "lamps")
    clean = ingest(
        tmp_path,
        ontology=read_ontology(tmp_path / "lamps" / "ontology"),
        mapping=read_mapping(tmp_path / "lamps" / "mapping.yaml"),
    )
    assert not clean.report.counts
    assert len(clean.offers.filter(clean.offers["attribute"] == "price")) == 80
    assert not any("without one" in note for note in clean.notes)


def test_prices_that_hold_until_the_next_one_need_no_end(tmp_path: Path) -> None:
    mapping = initialised(write_shop(tmp_path, end=False), tmp_path / "lamps")
    assert [source.file for source in mapping.offers] == ["prices.csv"]


def test_a_log_without_the_place_of_the_offers_is_the_first_doubt(tmp_path: Path) -> None:
    done = initialise(write_shop(tmp_path, log_place=False), tmp_path / "lamps")
    assert any("no column of the log says where" in doubt.text for doubt in done.page.doubts)


def test_products_with_a_start_of_sales_stay_products(tmp_path: Path) -> None:
    paths = write_shop(tmp_path)
    rows = paths[0].read_text(encoding="utf-8").splitlines()
    dated = [
        rows[0] + ",valid from",
        *(f"{row},2026-01-{number:02}" for number, row in enumerate(rows[1:], 1)),
    ]
    paths[0].write_text("\n".join(dated) + "\n", encoding="utf-8")
    mapping = initialised([paths[0], paths[2]], tmp_path / "lamps")
    assert (len(mapping.items), mapping.offers) == (1, ())
