"""The device that Lightning's accelerator names, where it works."""

from __future__ import annotations

import torch
from lightning.fabric import Fabric
from lightning.fabric.utilities.exceptions import MisconfigurationException

from kgrank.errors import RunError
from kgrank.learning.reporting.progress import NO_PROGRESS, Progress

CPU = torch.device("cpu")


def device_of(accelerator: str, progress: Progress = NO_PROGRESS) -> torch.device:
    """The device of an accelerator; the CPU where ``auto`` finds one that is broken.

    Args:
        accelerator: Lightning's: auto, cpu, gpu ….
        progress: Receives a note where a device is there and does not work.

    Raises:
        RunError: There is no such accelerator here, or it does not work.
    """
    try:
        device = Fabric(accelerator=accelerator, devices=1).device
        tried = torch.ones(2, 2, device=device)
        float((tried @ tried).sum())
    except (MisconfigurationException, RuntimeError, ValueError, AssertionError) as error:
        problem = " ".join(str(error).split())
        if accelerator != "auto":
            raise RunError(
                f"network.accelerator is {accelerator}, which does not work here ({problem})",
                todo="Leave it out, and the network takes what there is, or name cpu.",
            ) from None
        progress.note(f"the network takes the CPU: the accelerator does not work ({problem})")
        return CPU
    return device
