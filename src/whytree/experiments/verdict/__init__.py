"""An experiment as its page shows it, and its end: what is read, said, drawn, doubted and decided."""
