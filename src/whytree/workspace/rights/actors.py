"""Who acts: a person at a page, a token at the API, a server key, or Whytree itself."""

from dataclasses import dataclass, field
from typing import Literal

Via = Literal["page", "api", "cli", "mcp", "system"]


@dataclass(frozen=True)
class Actor:
    """Passed into every service; the service asks `access.require` what this actor may do."""

    user_id: int | None
    label: str
    via: Via
    key_id: int | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)
    product_id: int | None = None  # a server key acts in its own product only

    @property
    def is_system(self) -> bool:
        return self.via == "system"

    @classmethod
    def system(cls, label: str = "Whytree") -> "Actor":
        """Whytree itself: jobs, facts, the command line before there is an owner."""
        return cls(user_id=None, label=label, via="system")
