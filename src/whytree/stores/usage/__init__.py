"""What is used, on what, and where it hurts: the catalogue, platforms, forms."""
