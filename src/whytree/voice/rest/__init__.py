"""Voices over REST, by subject; `api.py` puts them together."""
