"""What the clone adds to a question, and the screen that shows the answer: the command line's side."""
