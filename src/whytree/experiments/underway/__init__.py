"""A started experiment, counted in the store: who is compared with whom, on what, and whether to trust it."""
