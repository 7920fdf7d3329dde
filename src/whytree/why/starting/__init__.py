"""Begin work with its why: the screen, the three questions, the branch, the hook."""
