"""What capture, exports and a move to another store ask of the store, beside inserting."""
