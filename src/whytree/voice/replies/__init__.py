"""What becomes of a voice reaches those who said it, where no public board tells them: by mail, signed webhook and Atom."""
