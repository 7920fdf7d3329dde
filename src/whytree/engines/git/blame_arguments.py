"""How git is asked who wrote a line. By itself, because it is needed before anything else is."""

# -w ignores white space, -M and -C follow lines moved within and copied between the files of a commit. What is
# looked through is ours to say: the settings may name a list that does not exist, and git would give up.
# Nor is a program run that a repository's settings name for showing its files.
BLAME_ARGUMENTS = ("blame", "--porcelain", "-w", "-M", "-C", "--no-ignore-revs-file", "--no-textconv")
