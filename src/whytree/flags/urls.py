from django.urls import path

from . import pages as views
from . import rule_pages, wire

pages = [
    path("flags", views.flags, name="flags"),
    path("flags/<str:key>", views.flag, name="flag"),
    path("flags/<str:key>/rollout", views.change_rollout, name="flag_rollout"),
    path("flags/<str:key>/rules", rule_pages.change_rules, name="flag_rules"),
    path("flags/<str:key>/history/<int:version>", rule_pages.go_back, name="flag_go_back"),
    path("flags/<str:key>/edit", views.edit, name="flag_edit"),
    path("flags/<str:key>/archive", views.archive, name="flag_archive"),
    path("flags/<str:key>/restore", views.restore, name="flag_restore"),
]

root = [
    path("ofrep/v1/evaluate/flags", wire.evaluate_flags, name="ofrep_all"),
    path("ofrep/v1/evaluate/flags/", wire.evaluate_flags),
    # A path, not a string: clients send a key like "a/b c" nearly as it is, and must hear that there is no such flag.
    path("ofrep/v1/evaluate/flags/<path:key>", wire.evaluate_flag, name="ofrep_one"),
]
