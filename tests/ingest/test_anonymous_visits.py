"""Visits of people who are not signed in: another column says who acts where the user is empty."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_shop import Shop

from kgrank.errors import InputError
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import read_mapping

ITEMS = "id,category\nm1,mugs\nm2,mugs\n"
HEADS = ("time", "customer", "visit", "kind", "item")
ROWS = [
    ("2026-02-01T10:00:00Z", "7", "1", "view", "m1"),
    ("2026-02-01T10:01:00Z", None, "7", "view", "m1"),
    ("2026-02-01T10:02:00Z", None, "7", "purchase", "m2"),
    ("2026-02-01T10:03:00Z", None, "8", "view", "m2"),
    ("2026-02-01T10:04:00Z", None, None, "view", "m2"),
]


def csv_rows() -> str:
    return "".join(",".join(cell or "" for cell in row) + "\n" for row in [HEADS, *ROWS])


def json_rows() -> str:
    return "".join(json.dumps(dict(zip(HEADS, row, strict=True))) + "\n" for row in ROWS)


def load(folder: Path, user: str, file: str = "log.csv") -> Clean:
    path = folder / "mapping.yaml"
    path.write_text(
        f"items: [{{file: items.csv}}]\nevents:\n- file: {file}\n  session: visit\n  user: {user}\n",
        encoding="utf-8",
    )
    return ingest(folder, mapping=read_mapping(path))


@pytest.mark.parametrize("file", ["log.csv", "log.jsonl"])
def test_a_visit_without_a_user_is_a_person_of_its_own(shop: Shop, file: str) -> None:
    folder = shop(items_csv=ITEMS, log_csv=csv_rows(), log_jsonl=json_rows())
    clean = load(folder, "{column: customer, otherwise: visit}", file)
    users = clean.events.sort("time")["user"].to_list()
    assert users == ["7", "anonymous:7", "anonymous:7", "anonymous:8"]
    assert clean.events.sort("time")["session"].to_list() == ["1", "7", "7", "8"]
    assert any("3 of 5 rows have no user and count as anonymous visits: 2 people" in n for n in clean.notes)
    assert clean.report.counts == {"no id": 1}


def test_where_nobody_is_signed_in_every_visit_is_a_person(shop: Shop) -> None:
    log = "time,visit,kind,item\n2026-02-01T10:00:00Z,1,view,m1\n2026-02-01T10:01:00Z,2,view,m1\n"
    clean = load(shop(items_csv=ITEMS, log_csv=log), "{otherwise: visit}")
    assert sorted(clean.events["user"]) == ["anonymous:1", "anonymous:2"]


def test_words_that_mean_not_signed_in_count_as_empty(shop: Shop) -> None:
    log = csv_rows().replace("Z,,", "Z,guest,")
    clean = load(shop(items_csv=ITEMS, log_csv=log), "{column: customer, missing: [guest], otherwise: visit}")
    assert set(clean.events["user"]) == {"7", "anonymous:7", "anonymous:8"}


def test_the_visits_of_two_shops_stay_apart_by_their_prefix(shop: Shop) -> None:
    folder = shop(items_csv=ITEMS, log_csv=csv_rows())
    clean = load(folder, "{column: customer, otherwise: visit, prefix: de-}")
    assert set(clean.events["user"]) == {"de-7", "de-anonymous:7", "de-anonymous:8"}


def test_without_the_key_dropped_rows_name_it(shop: Shop) -> None:
    folder = shop(items_csv=ITEMS, log_csv=csv_rows())
    with pytest.raises(InputError, match=r"log\.csv:3: 4 of 5 rows: no id.*otherwise: session"):
        load(folder, "customer")


def test_a_user_called_like_a_visitor_is_an_error(shop: Shop) -> None:
    log = csv_rows().replace("Z,7,1", "Z,anonymous:7,1")
    with pytest.raises(InputError, match=r"log\.csv:2: the user 'anonymous:7' has the id of a visitor"):
        load(shop(items_csv=ITEMS, log_csv=log), "{column: customer, otherwise: visit}")


def test_a_column_that_the_file_lacks_is_named(shop: Shop) -> None:
    with pytest.raises(InputError, match="there is no column 'visti'"):
        load(shop(items_csv=ITEMS, log_csv=csv_rows()), "{column: customer, otherwise: visti}")
