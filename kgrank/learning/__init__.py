"""Learning: the heterogeneous network, its training, and the run behind ``train.py``. Imports torch."""
