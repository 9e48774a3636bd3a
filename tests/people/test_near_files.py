"""Files beside a store that still name somebody who is forgotten."""

from __future__ import annotations

from pathlib import Path

from kgrank.people.near_files import near_files


def test_the_log_of_a_visit_without_a_user_is_named_by_the_id_of_the_visit(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("time,user,visit\n2026-02-01,,v77\n", encoding="utf-8")
    (tmp_path / "other.csv").write_text("time,user,visit\n2026-02-01,,v78\n", encoding="utf-8")
    for user in ("anonymous:v77", "de-anonymous:v77"):
        assert near_files(tmp_path / "graph.lb", [user]).naming == (tmp_path / "log.csv",)
