"""Numbers in the tables of the ranking's commands."""

from __future__ import annotations


def signed(logits: float) -> str:
    """Logits with their sign, and 0 without one."""
    return f"{logits:+.3f}" if logits else "0"
