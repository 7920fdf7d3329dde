"""Interviews as pages: the list, one talk with its transcript, and what people do with them."""
