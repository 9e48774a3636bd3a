"""Prior means of a category from the other categories."""
