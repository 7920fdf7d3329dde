"""What every REST door has in common."""

from ninja import Schema
from pydantic import ConfigDict


class Body(Schema):
    """What a caller sends; a misspelt field is refused, not ignored.

    What a command line reads in a clone is sent by `Schema` itself: a newer one may tell more than its server knows.
    """

    model_config = ConfigDict(extra="forbid")
