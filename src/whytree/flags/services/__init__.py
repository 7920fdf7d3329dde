"""What may change flags. Every change of what people get writes a `FlagChange`, and tells `flag_opened` when they begin to meet it."""

from ..live import flags_in_force
from .making import Edits, create_flag, edit_flag
from .moving import Moved, Moving, import_flags
from .rollout import archive_flag, open_flag, restore_flag, set_rollout, turn_off, turn_on
from .rules import RuleEdits, go_back, set_rules
from .shared import follow_cohort, remove_condition, set_condition, set_holdout

__all__ = [
    "Edits",
    "Moved",
    "Moving",
    "RuleEdits",
    "archive_flag",
    "create_flag",
    "edit_flag",
    "flags_in_force",
    "follow_cohort",
    "go_back",
    "import_flags",
    "open_flag",
    "remove_condition",
    "restore_flag",
    "set_condition",
    "set_holdout",
    "set_rollout",
    "set_rules",
    "turn_off",
    "turn_on",
]
