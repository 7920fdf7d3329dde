"""Repositories that the server itself reads from a public address: no clone, no CI, nothing to install."""
