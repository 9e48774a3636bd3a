"""What every table that is read has beside its columns."""

from __future__ import annotations

LINE = "__line__"
"""The column with the line of each row in its file."""

FILE = "__file__"
"""The column that says which file a row is from, where rows of several files meet."""

LIST = "|"
"""What joins the members of a list in one cell of a Parquet or JSON file."""

ANONYMOUS = "anonymous:"
"""What the ids of people begin with who are not signed in, so that no visit has the id of a user."""
