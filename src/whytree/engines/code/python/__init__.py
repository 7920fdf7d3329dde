"""Python source read by its syntax tree: what names stand for, where flags are read, what may go, who reads a field."""
