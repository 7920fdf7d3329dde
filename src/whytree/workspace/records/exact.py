"""Stored values as JSON that gives them back as they were."""

from datetime import UTC, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder


class ExactEncoder(DjangoJSONEncoder):
    """Times to the microsecond, in UTC. Django's own cuts them to milliseconds: what happened in order would come back at once."""

    def default(self, o: Any) -> Any:
        if not isinstance(o, datetime):
            return super().default(o)
        return (o.astimezone(UTC) if o.tzinfo else o).isoformat()
