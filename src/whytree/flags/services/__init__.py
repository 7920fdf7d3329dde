"""What may change flags. Every change of what people get writes a `FlagChange`, and tells `flag_opened` when they begin to meet it."""

from ..evaluation.live import flags_in_force
from .approving import (
    MOST_WORDS,
    approve_change,
    ask_for,
    changed_or_asked,
    decline_change,
    find_request,
    is_outdated,
    is_own,
    set_approvals,
    withdraw_change,
)
from .changing import NeedsApproval, needs_approval
from .elsewhere import copy_flag, follow_production
from .making import Edits, create_flag, edit_flag
from .moving import Moved, Moving, import_flags
from .rollout import archive_flag, open_flag, restore_flag, set_rollout, settle_flag, turn_off, turn_on
from .rules import RuleEdits, go_back, set_rules
from .shared import follow_cohort, refuse_unapproved_cohort, remove_condition, set_condition, set_holdout

__all__ = [
    "MOST_WORDS",
    "Edits",
    "Moved",
    "Moving",
    "NeedsApproval",
    "RuleEdits",
    "approve_change",
    "archive_flag",
    "ask_for",
    "changed_or_asked",
    "copy_flag",
    "create_flag",
    "decline_change",
    "edit_flag",
    "find_request",
    "flags_in_force",
    "follow_cohort",
    "follow_production",
    "go_back",
    "import_flags",
    "is_outdated",
    "is_own",
    "needs_approval",
    "open_flag",
    "refuse_unapproved_cohort",
    "remove_condition",
    "restore_flag",
    "set_approvals",
    "set_condition",
    "set_holdout",
    "set_rollout",
    "set_rules",
    "settle_flag",
    "turn_off",
    "turn_on",
    "withdraw_change",
]
