"""The kinds of rules: ``table`` has one row for each, and ``kind`` says what a row holds."""
