"""Prepares a public data set: from the files that you downloaded to the folder that benchmarks and tests read.

    python benchmarks/prepare.py --list
    python benchmarks/prepare.py choice_camera --from bayesm_3.1-6.tar.gz --to data/choice_camera
    python benchmarks/prepare.py choice_camera --check data/choice_camera

docs/data.md says what each set is, its licence, and what to download. --from takes archives, unpacked folders and
single files, several where a set has several sources, or a folder that is prepared already. Checksums are compared
before and after; the folder is written whole or not at all, and never over one that is there.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.conversions import CONVERSIONS
from benchmarks.data_sets import VARIABLE, DataSet, checksum, data_folder, data_root, data_set, data_sets
from benchmarks.downloads import Download, find
from benchmarks.machine import command
from benchmarks.plain_logit import REFERENCES
from kgrank.errors import InputError

ANY = "Get the version that docs/data.md names, or accept this one: --any-version"


def published(name: str, downloads: Sequence[Download], any_version: bool) -> Mapping[str, bytes]:
    """The contents of the files that a set is made of, by name without folders, with their checksums compared.

    Raises:
        InputError: A file is missing, is there twice, or is not the one that is expected.
    """
    contents: dict[str, bytes] = {}
    for source in data_set(name).sources:
        for pattern, expected in source.files.items():
            files = find(pattern, downloads)
            if not files or (len(files) > 1 and "*" not in pattern):
                count = "is not in" if not files else f"is {len(files)} times in"
                raise InputError(
                    f"{pattern} {count} {', '.join(str(d.path) for d in downloads)}",
                    expected=f"{source.name} {source.version}: {source.get}",
                    todo="docs/data.md lists all files.",
                )
            read = {PurePosixPath(file).name: download.read(file) for download, file in files}
            whole = b"".join(read.values())
            digest = hashlib.sha256(whole).hexdigest() if "*" in pattern else checksum(pattern, whole)
            compare(files[0][0].path, pattern, digest, (expected,), any_version)
            contents |= read
    return contents


def compare(where: Path, name: str, digest: str, expected: Sequence[str], any_version: bool) -> None:
    """Refuses a file with another checksum, or warns of it with --any-version."""
    if digest in expected:
        return
    message = f"{name} has the SHA-256 {digest}"
    if not any_version:
        raise InputError(message, where=where, expected=" or ".join(expected), todo=ANY)
    print(f"warning: {where}: {message}; expected {' or '.join(expected)}", file=sys.stderr)


def prepared(name: str, given: Sequence[Path], any_version: bool) -> Mapping[str, bytes]:
    """The contents of the folder to write, from the published files or from a folder that is prepared already."""
    which = data_set(name)
    if len(given) == 1 and is_prepared(given[0], which):
        contents = {file: (given[0] / file).read_bytes() for file in which.files}
    else:
        downloads = [Download(path) for path in given]
        contents = dict(CONVERSIONS[name](published(name, downloads, any_version)))
    for file, expected in which.files.items():
        compare(given[0], file, checksum(file, contents[file]), expected, any_version)
    return {**contents, **REFERENCES[name](contents)} if name in REFERENCES else contents


def is_prepared(folder: Path, which: DataSet) -> bool:
    """Whether a folder is one that is written here, with right checksums, and not the published one."""
    return all(
        (folder / file).is_file() and checksum(file, (folder / file).read_bytes()) in expected
        for file, expected in which.files.items()
    )


def write(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Writes a new folder whole, or leaves nothing.

    Raises:
        InputError: The folder is there already, or cannot be written.
    """
    if folder.exists():
        raise InputError(
            "it is there already, and is not written over", where=folder, todo="Name another: --to DIR"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            for name, content in contents.items():
                (beside / name).write_bytes(content)
            beside.chmod(0o755)
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise InputError(f"it cannot be written: {error.strerror}", where=folder) from None


def check(folder: Path, which: DataSet) -> bool:
    """Prints for each file whether it is the one that is expected, and returns whether all are."""
    right = True
    for file, expected in which.files.items():
        digest = checksum(file, (folder / file).read_bytes())
        same = digest in expected
        right &= same
        print(f"{file}: {'as expected' if same else f'{digest}, expected ' + ' or '.join(expected)}")
    return right


def show_list() -> None:
    """One line for each set, and whether it is there."""
    root = data_root()
    print(f"{VARIABLE} is {root or 'not set'}")
    for name, which in data_sets().items():
        there = "there" if root is not None and all((root / name / f).is_file() for f in which.files) else "-"
        print(f"{name:25} {there:6} {which.about.partition(':')[0]}")


def arguments() -> argparse.Namespace:
    """What was asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?", help="name of the data set")
    parser.add_argument(
        "--from", dest="given", type=Path, nargs="+", metavar="FILE", help="what you downloaded"
    )
    parser.add_argument("--to", type=Path, metavar="DIR", help=f"folder to write (the name below {VARIABLE})")
    parser.add_argument(
        "--check", nargs="?", const="", metavar="DIR", help="compare a prepared folder's checksums"
    )
    parser.add_argument("--any-version", action="store_true", help="accept a file with another checksum")
    parser.add_argument("--list", action="store_true", help="show all data sets")
    return parser.parse_args()


def main() -> None:
    """Lists, checks or prepares."""
    options = arguments()
    if options.list:
        show_list()
        return
    if options.name is None:
        raise InputError("no data set is named", expected="its name, or --list")
    which = data_set(options.name)
    if options.check is not None:
        if not check(data_folder(options.check or options.name), which):
            sys.exit(1)
        return
    if options.given is None:
        sources = "; and ".join(f"{s.name} {s.version}: {s.get}" for s in which.sources)
        raise InputError("no files are named", expected=f"--from with {sources}", todo="See docs/data.md.")
    root = data_root()
    if options.to is None and root is None:
        raise InputError(
            "no folder to write is named", expected=f"--to DIR, or {VARIABLE} in the environment"
        )
    folder = options.to or (root or Path()) / options.name
    contents = prepared(options.name, options.given, options.any_version)
    write(folder, contents)
    for name, content in contents.items():
        print(f"{folder / name}: {len(content):,} bytes")


if __name__ == "__main__":
    command(main)
