"""A clone looked through, and what it tells the server: commits, lines, flags, events, form fields."""
