"""A run's configuration: its settings, how they are read, and the extras that they need."""
