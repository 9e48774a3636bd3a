"""Packages that are installed with an extra of kgrank, checked before any work is done."""

from __future__ import annotations

from importlib.util import find_spec

from kgrank.errors import RunError

PYTORCH = "https://pytorch.org/get-started/locally/"
NETWORK = ("torch", "torch_geometric", "lightning", "jsonargparse")
TUNE = ("optuna",)


def missing(packages: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the packages that are not installed; imports none of them."""
    return tuple(name for name in packages if not _installed(name))


def require_network(option: str = "network") -> None:
    """Refuses an option that needs the extra ``network`` where it is not installed.

    Raises:
        RunError: Says which package is missing, and how to install the extra.
    """
    absent = missing(NETWORK)
    if absent:
        raise RunError(
            f"{option} needs the extra `network`, which is not installed ({', '.join(absent)} missing)",
            todo=f"Install PyTorch as {PYTORCH} says for your machine (choose CPU where there is no GPU), then "
            "pip install 'kgrank[network]'; or train without it: network: off.",
        )


def require(extra: str, packages: tuple[str, ...], option: str) -> None:
    """Refuses an option that needs another extra.

    Raises:
        RunError: Says which package is missing, and how to install the extra.
    """
    absent = missing(packages)
    if absent:
        raise RunError(
            f"{option} needs the extra `{extra}`, which is not installed ({', '.join(absent)} missing)",
            todo=f"Install it: pip install 'kgrank[{extra}]'",
        )


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False
