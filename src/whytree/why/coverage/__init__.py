"""Outcome coverage: what the lines that are still there rest on."""
