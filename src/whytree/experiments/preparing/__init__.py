"""Before the start: what a plan could show, by this product's own past."""
