"""A shop's items, ready to be scored."""
