"""What clones told, as the server keeps it: which lines ask for a flag, send an event, read a form field."""
