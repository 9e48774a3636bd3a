"""The HTTP service: rankings, explanations and sessions for other programs."""
