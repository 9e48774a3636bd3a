"""Models of Hugging Face, from their cache on this machine first."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError


def snapshot(name: str) -> tuple[Path | None, Path]:
    """The folder of a model, None where it is not to be had; and the cache where it was looked for."""
    looked = Path(constants.HF_HUB_CACHE)
    for local in (True, False):
        try:
            return Path(snapshot_download(name, local_files_only=local)), looked
        except HFValidationError:
            return None, looked
        except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError):
            continue
    return None, looked
