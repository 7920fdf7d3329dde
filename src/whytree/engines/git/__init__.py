"""What git says, read from bytes; and who wrote each line that is still there. Imports nothing: `why` begins with it.

log, log_diff, patch     commits with their trailers; what a diff says about a commit; every hunk of a history
blame, blame_arguments   who wrote a line last, and how git is asked
survivors                the same for all files at once, by replaying history forwards
moves, common_runs       where added lines stood before
"""
