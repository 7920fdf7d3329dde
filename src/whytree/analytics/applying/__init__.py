"""Metrics as a file: written, compared, applied."""
