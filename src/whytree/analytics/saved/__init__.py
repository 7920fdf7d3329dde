"""What becomes of an answer: a question under a name, evidence, an outcome, an opportunity's struggle signal."""
