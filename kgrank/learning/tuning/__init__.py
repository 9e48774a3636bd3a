"""The search for hyper-parameters behind ``kgrank tune``."""
