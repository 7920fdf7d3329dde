from django.urls import path, re_path

from . import moving_pages
from . import pages as views
from .environments import pages as environments
from .protocols import flagd, ofrep, posthog
from .rules import pages as rules

pages = [
    path("flags", views.flags, name="flags"),
    path("flag-imports", moving_pages.move_in, name="flags_move_in"),
    path("flag-conditions", rules.save_condition, name="flag_condition"),
    path("flag-holdout", rules.save_holdout, name="flag_holdout"),
    path("flag-approvals", environments.set_approvals, name="flag_approvals"),
    path("flag-environments", environments.change_environments, name="flag_environments"),
    path("flag-requests/<int:number>", environments.decide_request, name="flag_request"),
    path("flags/<str:key>", views.flag, name="flag"),
    path("flags/<str:key>/copy", environments.copy_flag, name="flag_copy"),
    path("flags/<str:key>/follow", environments.follow_production, name="flag_follow"),
    path("flags/<str:key>/rollout", views.change_rollout, name="flag_rollout"),
    path("flags/<str:key>/rules", rules.change_rules, name="flag_rules"),
    path("flags/<str:key>/history/<int:version>", rules.go_back, name="flag_go_back"),
    path("flags/<str:key>/variants", views.change_variants, name="flag_variants"),
    path("flags/<str:key>/edit", views.edit, name="flag_edit"),
    path("flags/<str:key>/archive", views.archive, name="flag_archive"),
    path("flags/<str:key>/restore", views.restore, name="flag_restore"),
]

doors = [
    path("flagd/flags.json", flagd.flags_json, name="flagd_file"),
    path("flags/definitions", posthog.definitions, name="posthog_definitions"),
    path("flags/definitions/", posthog.definitions),
    path("api/feature_flag/local_evaluation", posthog.definitions),
    path("api/feature_flag/local_evaluation/", posthog.definitions),
    path("flags", posthog.flags),
    path("flags/", posthog.flags, name="posthog_flags"),
    path("decide", posthog.flags),
    path("decide/", posthog.flags),
    re_path(r"^array/(?P<token>[^/]+)/(?P<form>config|config\.js)/?$", posthog.start, name="posthog_start"),
    path("ofrep/v1/evaluate/flags", ofrep.evaluate_flags, name="ofrep_all"),
    path("ofrep/v1/evaluate/flags/", ofrep.evaluate_flags),
    # A path, not a string: clients send a key like "a/b c" nearly as it is, and must hear that there is no such flag.
    path("ofrep/v1/evaluate/flags/<path:key>", ofrep.evaluate_flag, name="ofrep_one"),
]
