from django.urls import path, re_path

from . import moving_pages
from . import pages as views
from .environments import pages as place_pages
from .protocols import flagd as flagd_door
from .protocols import ofrep as wire
from .protocols import posthog
from .rules import pages as rule_pages

pages = [
    path("flags", views.flags, name="flags"),
    path("flag-imports", moving_pages.move_in, name="flags_move_in"),
    path("flag-conditions", rule_pages.save_condition, name="flag_condition"),
    path("flag-holdout", rule_pages.save_holdout, name="flag_holdout"),
    path("flag-approvals", place_pages.set_approvals, name="flag_approvals"),
    path("flag-environments", place_pages.change_environments, name="flag_environments"),
    path("flag-requests/<int:number>", place_pages.decide_request, name="flag_request"),
    path("flags/<str:key>", views.flag, name="flag"),
    path("flags/<str:key>/copy", place_pages.copy_flag, name="flag_copy"),
    path("flags/<str:key>/follow", place_pages.follow_production, name="flag_follow"),
    path("flags/<str:key>/rollout", views.change_rollout, name="flag_rollout"),
    path("flags/<str:key>/rules", rule_pages.change_rules, name="flag_rules"),
    path("flags/<str:key>/history/<int:version>", rule_pages.go_back, name="flag_go_back"),
    path("flags/<str:key>/variants", views.change_variants, name="flag_variants"),
    path("flags/<str:key>/edit", views.edit, name="flag_edit"),
    path("flags/<str:key>/archive", views.archive, name="flag_archive"),
    path("flags/<str:key>/restore", views.restore, name="flag_restore"),
]

doors = [
    path("flagd/flags.json", flagd_door.flags_json, name="flagd_file"),
    path("flags/definitions", posthog.definitions, name="posthog_definitions"),
    path("flags/definitions/", posthog.definitions),
    path("api/feature_flag/local_evaluation", posthog.definitions),
    path("api/feature_flag/local_evaluation/", posthog.definitions),
    path("flags", posthog.flags),
    path("flags/", posthog.flags, name="posthog_flags"),
    path("decide", posthog.flags),
    path("decide/", posthog.flags),
    re_path(r"^array/(?P<token>[^/]+)/(?P<form>config|config\.js)/?$", posthog.start, name="posthog_start"),
    path("ofrep/v1/evaluate/flags", wire.evaluate_flags, name="ofrep_all"),
    path("ofrep/v1/evaluate/flags/", wire.evaluate_flags),
    # A path, not a string: clients send a key like "a/b c" nearly as it is, and must hear that there is no such flag.
    path("ofrep/v1/evaluate/flags/<path:key>", wire.evaluate_flag, name="ofrep_one"),
]
