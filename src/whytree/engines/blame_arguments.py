"""How git is asked who wrote a line. By itself, because it is needed before anything else is."""

# -w ignores white space, -M and -C follow lines moved within and copied between the files of a commit. What is
# looked through is ours to say: the settings may name a list that does not exist, and git would give up.
BLAME_ARGUMENTS = ("blame", "--porcelain", "-w", "-M", "-C", "--no-ignore-revs-file")
