"""The models themselves: the only part that imports torch besides ``learning/network``."""

import os


def quiet_libraries() -> None:
    """Keeps the libraries off the network where nobody said otherwise, and their bars off the screen."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


quiet_libraries()  # read while the libraries are imported
