"""The first ten minutes: a clone read from its history and tickets alone."""
