"""Learning: the fits of a shop, and the run behind ``train.py``; torch is imported in ``network`` only."""
