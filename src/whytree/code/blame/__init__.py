"""Which commit each line came with, and what was found before. Runs on the command line's side."""
