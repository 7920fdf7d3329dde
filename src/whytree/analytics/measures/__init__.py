"""A metric's value: from its definition and a question's words to what the store counts."""
