"""Sessions: how long people stay, where they come in and where they go.

Imports nothing by itself: the command line loads `commands` without Django.
"""
