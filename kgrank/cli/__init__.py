"""The command line. No module here imports torch."""
