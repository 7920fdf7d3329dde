"""Passing every accepted call on to the host that clients sent to before, unchanged: trying Whytree costs nothing.

    queue      calls on disk, fsynced, in the order they came
    sending    the threads that carry them over, with growing pauses while the other side is away
    services   which product passes what on, and where to

Imports nothing by itself: the command line loads `commands` without Django.
"""
