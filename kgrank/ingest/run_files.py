"""The files and the store that a run's configuration names, for commands that do not train."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import yaml

from kgrank.documents import load_yaml
from kgrank.errors import InputError
from kgrank.resources import config_file

_KEYS = ("folder", "ontology", "mapping", "store")


class RunFiles(NamedTuple):
    """The block ``data`` of a run's configuration; None where it does not say."""

    folder: Path | None
    ontology: Path | None
    mapping: Path | None
    store: str | None


def run_files(source: Path) -> RunFiles:
    """What a configuration, or a shipped one of this name, says of the data.

    Raises:
        InputError: It cannot be read, or has no block ``data``.
    """
    path = config_file(source)
    try:
        document = load_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"is not YAML ({str(error).splitlines()[0]})", where=path) from None
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict) or any(not isinstance(data.get(k), str | None) for k in _KEYS):
        raise InputError(
            "the configuration has no block data", where=path, expected="data: {folder: …, store: …}"
        )
    folder, ontology, mapping = (None if data.get(k) is None else Path(data[k]) for k in _KEYS[:3])
    return RunFiles(folder, ontology, mapping, data.get("store"))
