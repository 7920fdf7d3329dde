"""From a message to a row, whatever the dialect. Pure."""
