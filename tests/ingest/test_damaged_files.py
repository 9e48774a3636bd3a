"""Random damage: an error that names the file, or what an independent reader reads; nothing in between."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from damage import FORMATS, KINDS, Case, cases, outcome

from kgrank.errors import InputError
from kgrank.ingest.clean import ingest

SEEDS = [*range(60), 81, 1245, 1400, 1478]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("format", ["csv", "jsonl", "json"])
@pytest.mark.parametrize("contents", ["items", "events"])
def test_a_file_of_damaged_bytes_is_refused_or_read_as_an_independent_reader_reads_it(
    tmp_path: Path, contents: str, format: str, seed: int
) -> None:
    assert not outcome(Case(contents, format, "bytes", seed), tmp_path).fault


@pytest.mark.parametrize("case", cases(8 * 3 * len(FORMATS) * len(KINDS), seed=100), ids=str)
def test_damaged_cells_rows_and_types_of_every_format_are_refused_read_alike_or_named(
    tmp_path: Path, case: Case
) -> None:
    assert not outcome(case, tmp_path).fault


def test_most_kinds_of_damage_leave_files_that_are_read_in_part(tmp_path: Path) -> None:
    """So that the tests above do not only see refusals."""
    outcomes = []
    for number, case in enumerate(cases(3 * len(FORMATS) * len(KINDS))):
        (tmp_path / str(number)).mkdir()
        outcomes.append(outcome(case, tmp_path / str(number)))
    read = [result for result in outcomes if not result.refused and result.compared]
    assert len(read) > len(outcomes) / 3
    assert any(result.noted for result in read)


def test_a_damaged_parquet_file_is_refused_without_a_word_of_the_reader(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for seed in range(40):
        (tmp_path / str(seed)).mkdir()
        case = Case("items", "parquet", "bytes", seed)
        (tmp_path / str(seed) / case.file).write_bytes(case.data())
    capfd.readouterr()
    for seed in range(40):
        with suppress(InputError):
            ingest(tmp_path / str(seed))
    assert capfd.readouterr().err == ""
