"""The mapping as a file: written, read as a proposal, and edited in place."""
