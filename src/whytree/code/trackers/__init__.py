"""Tickets and pull requests: what may change them, and how a tracker's words come here, from its export or its API."""
