"""Tests before code: what they show so far, and the verdict the data propose."""
