"""Learning: the heterogeneous network, its training, and the run behind ``train.py``. Imports torch."""

import warnings

# What libraries say of themselves while they are imported; a user can do nothing about it.
warnings.filterwarnings("ignore", message=r"`torch\.jit\.script` is deprecated")
warnings.filterwarnings("ignore", message="IProgress not found")
