"""Files are written whole or not at all, by one function, with the permissions that the umask leaves."""

from __future__ import annotations

import ast
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgrank.errors import InputError
from kgrank.files import make_folder, write_bytes, write_file, write_text
from kgrank.locks import HeldError, lock, unlock

PACKAGE = Path(__file__).parents[1] / "kgrank"

WRITING = {"write_text", "write_bytes", "write_csv", "write_parquet", "savefig", "to_csv", "mkdir", "touch"}
"""Methods of files, tables and figures that write a file by its path."""

ALLOWED = {"kgrank/files.py", "kgrank/locks.py"}


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def writing_calls(path: Path) -> Iterator[str]:
    """The calls in a source file that write a file without the one function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        place = f"{path.relative_to(PACKAGE.parent)}:{node.lineno}"
        if isinstance(function, ast.Attribute) and function.attr in WRITING:
            of = ast.unparse(node.args[0]) if node.args else ""
            if of not in ("file", "opened"):
                yield f"{place} {function.attr}"
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        words = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if name == "open" and any(set(word) & set("wax+") and len(word) < 4 for word in words):
            yield f"{place} open"
        if name in ("NamedTemporaryFile", "mkstemp", "mkdtemp", "TemporaryDirectory"):
            yield f"{place} {name}"


def test_all_of_kgrank_writes_files_by_the_one_function() -> None:
    sources = [p for p in sorted(PACKAGE.rglob("*.py")) if str(p.relative_to(PACKAGE.parent)) not in ALLOWED]
    assert [call for path in sources for call in writing_calls(path)] == []


@pytest.mark.usefixtures("umask")
def test_a_new_file_has_the_permissions_that_the_umask_leaves(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "a")
    assert mode(tmp_path / "a.txt") == 0o640


@pytest.mark.usefixtures("umask")
def test_a_file_that_was_there_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    path.chmod(0o604)
    write_text(path, "after")
    assert (path.read_text(), mode(path)) == ("after", 0o604)


def test_a_secret_is_for_its_owner_alone_also_where_others_could_read_it_before(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text("before")
    path.chmod(0o666)
    write_text(path, "after", private=True)
    assert mode(path) == 0o600


def test_a_failure_leaves_the_former_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "before")

    def fail(file: object) -> None:
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        write_file(path, fail)
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "before"


SLOW = """
import sys, time
from pathlib import Path
from kgrank.files import write_file
def write(file):
    file.write(b"x" * 10_000_000); file.flush()
    print("half", flush=True); time.sleep(60)
write_file(Path(sys.argv[1]), write)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_a_process_that_is_killed_while_it_writes_leaves_no_temporary_file(
    tmp_path: Path, number: signal.Signals
) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"before")
    command = [sys.executable, "-c", SLOW, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.send_signal(number)
        if number == signal.SIGINT:
            time.sleep(0.1)
            process.kill()  # a background job of a shell ignores Ctrl-C
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]
    assert path.read_bytes() == b"before"


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    write_text(tmp_path / "real.txt", "before")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_text(tmp_path / "link.txt", "after")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "after"


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_text(Path("/dev/null"), "text")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(
        InputError, match=r"/dev/full: cannot be written \(No space left on device\)\. Make room"
    ):
        write_text(Path("/dev/full"), "text")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("folder", "Is a directory.*Name a file, not a folder"),
        ("missing/a.txt", "No such file or directory.*Make its folder first"),
        ("file/a.txt", "Not a directory.*A part of the path is a file"),
        ("x" * 300, "File name too long.*Take a shorter name"),
    ],
)
def test_a_path_that_cannot_be_written_is_one_error_with_the_remedy(
    tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=said):
        write_text(tmp_path / name, "text")


def test_a_folder_that_is_a_file_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        make_folder(tmp_path / "file")


HOLD = """
import sys, time
from pathlib import Path
from kgrank.locks import lock
held = lock(Path(sys.argv[1])); print("held", flush=True); time.sleep(float(sys.argv[2]))
"""


def test_a_lock_says_who_holds_it_and_since_when(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLD, str(path), "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(HeldError, match=rf"process {process.pid} \(-c .*\), since 20..-..-..T.*") as held:
            lock(path)
        assert not held.value.is_own
        process.kill()
    unlock(lock(path))


def test_a_lock_is_waited_for_and_the_waiting_is_reported_once(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    reports: list[str] = []
    command = [sys.executable, "-c", HOLD, str(path), "2.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        unlock(lock(path, wait=60, on_wait=reports.append))
    assert len(reports) == 1
    assert f"process {process.pid}" in reports[0]


def test_ones_own_lock_is_not_waited_for(tmp_path: Path) -> None:
    held = lock(tmp_path / "lock")
    with pytest.raises(HeldError) as error:
        lock(tmp_path / "lock", wait=1000)
    assert error.value.is_own
    unlock(held)
