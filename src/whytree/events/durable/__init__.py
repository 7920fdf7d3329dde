"""Acknowledged means durable: group commit, the spool, what is owed to the store, and what follows once it is safe."""
