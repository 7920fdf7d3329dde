"""The HTTP server of `whytree serve`: its lanes for events, room for one more connection, and what proxies are believed."""
