"""What catalog teams write: categories, attributes, values and rules."""
