"""Designs of choice experiments: which alternatives to show together, and how many answers it takes."""
