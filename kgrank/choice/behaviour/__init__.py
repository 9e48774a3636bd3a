"""What people do after each other: terms of the next item, beside the attributes."""
