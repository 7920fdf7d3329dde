"""Files of events: whose export it is or which column holds what, and bringing one in from a page."""
