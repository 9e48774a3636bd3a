"""Language models: texts of a catalogue as vectors, and what they let a shop propose."""
