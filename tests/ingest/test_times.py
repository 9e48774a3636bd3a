"""A time is what people meant: dates as digits, serial days, zones in words, days and months in either order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_shop import Shop

from kgrank.errors import InputError
from kgrank.ingest.cells.times import seconds
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import TimeField, read_mapping
from kgrank.ingest.read import LINE

ITEMS = "id,category\nm1,mugs\n"
MOMENT = datetime(2024, 3, 15, 14, 5, 9, tzinfo=UTC)


def read(texts: list[str], field: TimeField | None = None) -> list[int | None]:
    table = pl.DataFrame({"time": texts, LINE: range(2, len(texts) + 2)})
    return seconds(table, field or TimeField(), Path("events.csv")).to_list()


def load(shop: Shop, times: list[str], mapping: str | None = None) -> Clean:
    rows = "".join(f'"{time}",u{k},view,m1\n' for k, time in enumerate(times))
    folder = shop(items_csv=ITEMS, events_csv=f"time,user,kind,item\n{rows}")
    if mapping is None:
        return ingest(folder)
    (folder / "m.yaml").write_text(mapping)
    return ingest(folder, mapping=read_mapping(folder / "m.yaml"))


def serial(moment: datetime) -> str:
    return repr((moment - datetime(1899, 12, 30, tzinfo=UTC)) / timedelta(days=1))


FORMS = {
    "%Y-%m-%dT%H:%M:%SZ": 1,
    "%Y-%m-%d %H:%M:%S UTC": 1,
    "%Y-%m-%d %H:%M:%S.123456 UTC": 1,
    "%Y-%m-%d %H:%M:%S GMT": 1,
    "%Y-%m-%d %H:%M:%S+00": 1,
    "%Y/%m/%d %H:%M": 60,
    "%Y%m%d%H%M%S": 1,
    "%Y%m%d%H%M": 60,
    "%Y%m%d": 86_400,
    "%d.%m.%Y %H:%M:%S": 1,
    "%d.%m.%Y": 86_400,
    "%d %b %Y %H:%M": 60,
    "%b %d, %Y %I:%M %p": 60,
    "%a, %d %b %Y %H:%M:%S GMT": 1,
    "%d-%b-%Y": 86_400,
    "%Y-%m-%dT%H:%M:%S+00:00[Europe/London]": 1,
    "%d/%b/%Y:%H:%M:%S +0000": 1,
    "%a %b %d %H:%M:%S UTC %Y": 1,
    "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)": 1,
    "%Y年%m月%d日 %H:%M": 60,
}


@pytest.mark.parametrize("form", FORMS)
@given(st.datetimes(datetime(1990, 1, 1), datetime(2026, 6, 1), timezones=st.just(UTC)))
@settings(deadline=None)
def test_times_written_in_any_form_are_read_back(form: str, moment: datetime) -> None:
    second = int(moment.timestamp())
    assert read([moment.strftime(form)]) == [second - second % FORMS[form]]


@given(st.datetimes(datetime(1990, 1, 1), datetime(2026, 6, 1), timezones=st.just(UTC)))
@settings(deadline=None)
def test_serial_days_of_a_spreadsheet_are_read_to_the_second(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    assert read([serial(moment)]) == [int(moment.timestamp())]


@pytest.mark.parametrize("power", [0, 3, 6, 9])
def test_seconds_since_1970_and_their_thousandths_are_told_by_their_size(power: int) -> None:
    assert read([str(int(MOMENT.timestamp()) * 10**power)]) == [int(MOMENT.timestamp())]


def test_years_and_months_are_times() -> None:
    assert read(["2019", "2020"]) == [1_546_300_800, 1_577_836_800]
    assert read(["202001", "202002"]) == [1_577_836_800, 1_580_515_200]


def test_one_row_shows_whether_the_day_or_the_month_is_first() -> None:
    march_1, january_3 = 1_772_323_200, 1_767_398_400
    assert read(["01/03/2026", "13/03/2026"])[0] == march_1
    assert read(["01/03/2026", "03/13/2026"])[0] == january_3


@pytest.mark.parametrize("text", ["01/03/2026", "03-01-2026", "01/03/2026 10:30:00", "1/3/2026 10:30 PM"])
def test_a_date_that_can_be_read_in_two_ways_is_an_error_with_both_readings(shop: Shop, text: str) -> None:
    with pytest.raises(InputError) as caught:
        load(shop, [text])
    said = str(caught.value)
    for words in ("events.csv:2", "2026-03-01", "2026-01-03", "`time: {column: time, format: "):
        assert words in said
    remedy = said[said.index("`time") + 1 :].split("`")[0]
    clean = load(shop, [text], f"items: [{{file: items.csv}}]\nevents: [{{file: events.csv, {remedy}}}]")
    assert len(clean.events) == 1


def test_rows_that_contradict_each_other_leave_the_others_in_doubt() -> None:
    with pytest.raises(InputError, match="two ways"):
        read(["13/03/2026", "03/13/2026", "01/02/2026"])


@pytest.mark.parametrize("times", [["1", "2", "3"], ["-5"], ["1970-01-01"], ["4711", "4712"]])
def test_a_log_before_1990_is_an_error_with_the_key_to_write(shop: Shop, times: list[str]) -> None:
    with pytest.raises(
        InputError, match=r"events.csv:2: the time .* is 19.*1990 to tomorrow.*format.*time: order"
    ):
        load(shop, times)


@pytest.mark.parametrize(
    ("text", "form"), [("25032026", "%d%m%Y"), ("03252026", "%m%d%Y"), ("260325", "%y%m%d")]
)
def test_digits_that_are_a_date_in_another_order_are_an_error_with_the_format_that_reads_them(
    shop: Shop, text: str, form: str
) -> None:
    with pytest.raises(InputError, match=f'format: "{form}"'):
        load(shop, [text])
    time = f"time: {{column: time, format: '{form}'}}"
    mapping = f"items: [{{file: items.csv}}]\nevents: [{{file: events.csv, {time}}}]"
    assert load(shop, [text], mapping).events["time"].to_list() == [1774396800]


def test_one_time_before_1990_is_dropped(shop: Shop) -> None:
    clean = load(shop, ["2026-01-01", "2026-01-02", "0"])
    assert clean.report.rows.select("reason", "line").rows() == [("bad time", 4)]


def test_a_time_that_cannot_be_read_has_a_remedy_about_the_time(shop: Shop) -> None:
    with pytest.raises(InputError, match=r"time: \{column: time, format: "):
        load(shop, ["yesterday"])
