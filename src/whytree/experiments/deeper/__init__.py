"""What is asked of an experiment after its answer: does the effect last, and what is it among those it could reach."""
