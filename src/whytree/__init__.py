"""Whytree: one unbroken line from a user's words to what a change did."""

__version__ = "0.1.0"
