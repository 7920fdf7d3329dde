"""A table of units, read and judged without a server."""
