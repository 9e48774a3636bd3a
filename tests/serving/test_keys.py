"""The file of API keys: nothing is lost, nobody else reads it, and nobody is let in where it cannot be read."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.errors import InputError
from kgrank.serving.keys import KeyRing, Role, add_key, read_keys, remove_key

TODAY = datetime.now(UTC).date()
DAY = timedelta(days=1)


def test_keys_that_are_made_at_once_are_all_kept(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    code = (
        "import sys; from pathlib import Path; from kgrank.serving.keys import *\n"
        "for k in range(20): add_key(Path(sys.argv[1]), f'{sys.argv[2]}-{k}', Role.READ)"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(file), name]) for name in "abc"]
    assert [p.wait(timeout=60) for p in processes] == [0, 0, 0]
    assert {key.name for key in read_keys(file)} == {f"{name}-{k}" for name in "abc" for k in range(20)}
    assert [p.name for p in tmp_path.iterdir()] == ["keys.json"], "no file is left beside it"


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o606])
def test_keys_that_others_may_read_or_write_are_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "keys.json"
    add_key(file, "front", Role.READ)
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(mode)
    with pytest.raises(InputError, match="chmod 600"):
        read_keys(file)
    with pytest.raises(InputError, match="chmod 600"):
        add_key(file, "other", Role.READ)


@pytest.mark.parametrize("damage", ["mode", "content"])
def test_while_the_keys_cannot_be_read_nobody_is_let_in(
    stored: str, client: Any, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "keys.json"
    headers = {"authorization": f"Bearer {add_key(file, 'front', Role.READ)}"}
    whole = file.read_bytes()

    async def ask() -> list[int]:
        async with client(stored, file) as http:
            statuses = [(await http.get("/v1/audit", headers=headers)).status_code]
            if damage == "mode":
                file.chmod(0o644)
            else:
                file.write_bytes(b"[{")
            await asyncio.sleep(1.1)
            statuses.append((await http.get("/v1/audit", headers=headers)).status_code)
            file.chmod(0o600)
            file.write_bytes(whole)
            await asyncio.sleep(1.1)
            return [*statuses, (await http.get("/v1/audit", headers=headers)).status_code]

    assert asyncio.run(ask()) == [200, 503, 200]
    assert sum("Nobody is let in" in record.getMessage() for record in caplog.records) == 1


def test_a_key_is_valid_until_the_end_of_its_last_day(stored: str, client: Any, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    today, past = add_key(file, "today", Role.READ, TODAY), add_key(file, "past", Role.READ, TODAY)
    rows = json.loads(file.read_text("utf-8"))
    rows[1]["expires"] = (TODAY - DAY).isoformat()
    file.write_text(json.dumps(rows), encoding="utf-8")

    async def ask(secret: str) -> Any:
        async with client(stored, file) as http:
            return await http.get("/v1/audit", headers={"authorization": f"Bearer {secret}"})

    assert asyncio.run(ask(today)).status_code == 200
    refused = asyncio.run(ask(past))
    assert refused.status_code == 401
    assert f"was valid until {TODAY - DAY}" in refused.text
    with pytest.raises(InputError, match="is over"):
        add_key(file, "late", Role.READ, TODAY - DAY)


def test_keys_are_listed_with_their_last_day(tmp_path: Path) -> None:
    file = str(tmp_path / "keys.json")
    day = (TODAY + DAY).isoformat()
    made = CliRunner().invoke(app, ["keys", "add", "front", "--expires", day, "--file", file, "--json"])
    assert made.exit_code == 0
    listed = CliRunner().invoke(app, ["keys", "list", "--file", file, "--json"])
    assert json.loads(listed.stdout)[0]["expires"] == day
    remove_key(Path(file), "front")
    assert KeyRing(Path(file)).error is None
