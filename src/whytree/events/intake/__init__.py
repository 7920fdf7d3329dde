"""What a product wants of what is sent to it. Imports nothing by itself: the command line loads `commands` without Django."""
