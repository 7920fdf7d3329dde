"""Corners that were cut on purpose: to be paid only if the change stays."""
