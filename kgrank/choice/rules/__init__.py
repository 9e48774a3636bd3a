"""Rules as hypotheses: what they state, what data say of them, and their weight on part-worths."""
