"""Numbers that say by themselves when they move."""
