"""Form friction: how far people come in a form, which field keeps them, and where they leave.

Imports nothing by itself: the command line loads `commands` without Django.
"""
