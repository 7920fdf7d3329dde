"""A clone, read by git: its files, functions and commits. Runs on the command line's side."""
