"""A flag in another environment, copies between them, and changes that wait for approval; with their doors."""
