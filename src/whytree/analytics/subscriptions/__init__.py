"""Boards and kept questions that come by themselves."""
