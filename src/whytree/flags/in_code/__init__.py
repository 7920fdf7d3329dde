"""A flag in code: the snippet to paste, where it stands, when it may go, and its removal."""
