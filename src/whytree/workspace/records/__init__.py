"""What is kept of everything: the audit trail and undo, and the ids that people say aloud."""
