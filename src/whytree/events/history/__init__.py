"""Exports of other analytics tools, recognised by their shape. Runs on the command line's side, without Django.

A source says of each row of its files what its tool's own client would have sent: a message of Segment's or PostHog's
dialect, with the tool's own event id and its own rules of who is who. The server reads it as it reads any such message.
"""

from .common import Source
from .sources import SOURCES, open_source

__all__ = ["SOURCES", "Source", "open_source"]
