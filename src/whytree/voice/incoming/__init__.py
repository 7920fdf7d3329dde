"""The signed webhook by which other systems hand in feedback."""
