"""What is known already while a hypothesis is written: what moved its metric before, and what was learned from changes like it."""
