"""The tracking plan: which events a product means to send, whose they are, what they carry; and what is sent instead.

Imports nothing by itself: the command line loads `commands` without Django.
"""
