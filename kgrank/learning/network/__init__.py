"""The heterogeneous network, the only part that imports torch, torch-geometric and Lightning."""

import logging
import warnings


def ignore_library_warnings() -> None:
    """Silences remarks of the libraries about themselves, about which a user can do nothing."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=r"`torch\.jit\.script` is deprecated")
    warnings.filterwarnings("ignore", message="IProgress not found")
    warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
    warnings.filterwarnings("ignore", module=r"(lightning|torch|torch_geometric)\b")


ignore_library_warnings()  # some are given while the libraries are imported
