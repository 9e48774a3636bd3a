"""``kgrank init`` with logs in which most people are not signed in."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrank.errors import InputError
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import UserField, read_mapping
from kgrank.profiling.folder import Initialised, initialise

PRODUCTS = "sku,category,colour\n" + "".join(
    f"p{n},{'Mugs' if n % 2 else 'Pots'},{('red', 'blue', 'green')[n % 3]}\n" for n in range(12)
)


def shop(folder: Path, heads: str, users: dict[str, str]) -> Initialised:
    """A shop of twenty visits of three rows each; ``users`` names who is signed in, by visit."""
    rows = [
        f"2026-03-01T10:{visit:02d}:0{k}Z,{users.get(str(visit), users.get('', ''))},v{visit},"
        f"{('view', 'cart', 'purchase')[k]},p{(visit + k) % 12}"
        for visit in range(20)
        for k in range(3)
    ]
    (folder / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    (folder / "log.csv").write_text("\n".join([heads, *rows]) + "\n", encoding="utf-8")
    return initialise([folder / "products.csv", folder / "log.csv"], folder / "out")


def user(done: Initialised) -> UserField:
    return read_mapping(done.folder / "mapping.yaml").events[0].user


HEADS = "timestamp,customer_id,visit_id,event,sku"


def test_visits_without_a_user_are_people_and_the_page_counts_them(tmp_path: Path) -> None:
    done = shop(tmp_path, HEADS, {"3": "3", "4": "4"})
    assert user(done) == UserField(column="customer_id", otherwise="visit_id")
    (doubt,) = [d for d in done.page.doubts if d.column == "customer_id"]
    assert doubt.count == 54
    assert "each text of visit_id there is taken as a shopper, 18 in all" in doubt.text
    clean = ingest(tmp_path, mapping=read_mapping(done.folder / "mapping.yaml"))
    assert len(clean.events) == 60
    assert clean.events["user"].n_unique() == 20


@pytest.mark.parametrize("word", ["guest", "0", "-1", "Gast"])
def test_words_for_people_who_are_not_signed_in_are_no_user(tmp_path: Path, word: str) -> None:
    done = shop(tmp_path, HEADS, {"3": "3", "4": "4", "": word})
    assert user(done) == UserField(column="customer_id", missing=(word,), otherwise="visit_id")
    assert done.clean.events["user"].n_unique() == 20


def test_a_user_called_0_with_as_few_visits_as_others_is_a_user(tmp_path: Path) -> None:
    done = shop(tmp_path, HEADS, {str(visit): str(visit) for visit in range(20)})
    assert user(done) == UserField(column="customer_id")


def test_where_only_visits_are_logged_each_is_a_person(tmp_path: Path) -> None:
    done = shop(tmp_path, HEADS.replace("customer_id", "note"), {})
    assert user(done) == UserField(otherwise="visit_id")
    assert done.clean.events["user"].str.starts_with("anonymous:").all()


def test_a_second_column_of_users_counts_before_the_visit(tmp_path: Path) -> None:
    heads = HEADS.replace("visit_id", "cookie_id")
    done = shop(tmp_path, heads, {str(visit): str(visit) for visit in range(12)})
    assert user(done) == UserField(column="customer_id", otherwise="cookie_id")


def test_mostly_anonymous_rows_without_a_visit_are_an_error_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"log\.csv: 54 of 60 rows have no customer_id.* a column of visits"):
        shop(tmp_path, HEADS.replace("visit_id", "note"), {"3": "3", "4": "4"})
