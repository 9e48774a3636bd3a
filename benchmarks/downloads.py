"""Files inside what a person downloaded: a folder, an archive, or single files."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath

from kgrank.errors import InputError

ZIPS = (".zip", ".whl")
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


class Download:
    """One folder, archive or file, read by the names inside it."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise InputError("there is no such file or folder", where=path)
        self.path = path

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Paths of all files inside, with the folder's own name in front."""
        return tuple(self._names())

    def _names(self) -> Iterator[str]:
        path = self.path
        try:
            if path.is_dir():
                for file in sorted(path.resolve().rglob("*")):
                    if file.is_file():
                        yield file.relative_to(path.resolve().parent).as_posix()
            elif path.name.endswith(ZIPS):
                yield path.name
                with zipfile.ZipFile(path) as archive:
                    yield from (m.filename for m in archive.infolist() if not m.is_dir())
            elif path.name.endswith(TARS):
                with tarfile.open(path) as archive:
                    yield from (m.name for m in archive.getmembers() if m.isfile())
            else:
                yield path.name
        except (tarfile.TarError, zipfile.BadZipFile, OSError) as error:
            raise InputError(f"it cannot be read: {error}", where=path) from None

    def read(self, name: str) -> bytes:
        """The content of one of its files."""
        path = self.path
        if path.is_dir():
            return (path.resolve().parent / name).read_bytes()
        if name == path.name:
            return path.read_bytes()
        if path.name.endswith(ZIPS):
            with zipfile.ZipFile(path) as archive:
                return archive.read(name)
        with tarfile.open(path) as archive:
            file = archive.extractfile(name)
            assert file is not None, "names lists files only"
            return file.read()


def find(pattern: str, downloads: Sequence[Download]) -> list[tuple[Download, str]]:
    """The files of a path or pattern: as many of its last folders must match as can.

    So ``data/camera.RData`` is found in ``bayesm/data/camera.RData`` and in a lone ``camera.RData``.
    """
    parts = PurePosixPath(pattern).parts
    for shorter in range(len(parts)):
        ending = "/".join(parts[shorter:])
        files = [
            (download, name)
            for download in downloads
            for name in download.names
            if fnmatchcase(f"/{name}", f"*/{ending}") and name.count("/") >= ending.count("/")
        ]
        if files:
            return sorted(files, key=lambda file: file[1])
    return []
