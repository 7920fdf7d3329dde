from django.urls import path

from . import pages as views
from .alerts import pages as alerts
from .applying import pages as applying
from .asking import acts, typed
from .asking import pages as asking
from .boards import pages as boards
from .cohorts import pages as cohorts
from .friction import pages as friction
from .importing import pages as importing
from .subscriptions import pages as subscriptions

pages = [
    path("numbers", views.numbers, name="numbers"),
    path("numbers.yaml", applying.metrics_yaml, name="metrics_yaml"),
    path("metrics-file", applying.metrics_file, name="metrics_file"),
    path("definitions", importing.definitions, name="definitions"),
    path("definitions/<int:number>/undo", importing.undo, name="undo_definitions"),
    path("forms", friction.forms, name="forms"),
    path("forms.csv", friction.form_csv, name="form_csv"),
    path("forms.svg", friction.form_drawn, {"form": "svg"}, name="form_svg"),
    path("forms.png", friction.form_drawn, {"form": "png"}, name="form_png"),
    path("ask", asking.ask, name="ask"),
    path("ask/funnel", asking.funnel, name="ask_funnel"),
    path("ask/trends", asking.trends, name="ask_trends"),
    path("ask/retention", asking.retention, name="ask_retention"),
    path("ask/lifecycle", asking.lifecycle, name="ask_lifecycle"),
    path("ask/stickiness", asking.stickiness, name="ask_stickiness"),
    path("ask/paths", asking.paths, name="ask_paths"),
    path("ask/sessions", asking.sessions, name="ask_sessions"),
    path("ask/sql", typed.typed, name="ask_sql"),
    path("ask/act", acts.act, name="ask_act"),
    path("ask/<str:kind>/people.csv", asking.people_csv, name="people_csv"),
    path("ask/<str:kind>.csv", asking.ask_csv, name="ask_csv"),
    path("ask/<str:kind>.svg", asking.ask_picture, {"form": "svg"}, name="ask_svg"),
    path("ask/<str:kind>.png", asking.ask_picture, {"form": "png"}, name="ask_png"),
    path("ASK-<int:number>", acts.saved_question, name="saved_question"),
    path("ASK-<int:number>/delete", acts.delete_saved, name="delete_saved"),
    path("alerts", alerts.alerts, name="alerts"),
    path("alerts/<int:number>", alerts.alert, name="alert"),
    path("alerts/<int:number>/act", alerts.alert_act, name="alert_act"),
    path("subscriptions", subscriptions.subscriptions, name="subscriptions"),
    path("subscriptions/<int:number>/act", subscriptions.subscription_act, name="subscription_act"),
    path("boards", boards.boards, name="boards"),
    path("boards/new", boards.new_board, name="new_board"),
    path("boards/<int:number>", boards.board, name="board"),
    path("boards/<int:number>/edit", boards.edit_board, name="edit_board"),
    path("cohorts", cohorts.cohorts, name="cohorts"),
    path("cohorts/new", cohorts.new_cohort, name="new_cohort"),
    path("cohorts/<str:key>.csv", cohorts.cohort_csv, name="cohort_csv"),
    path("cohorts/<str:key>.svg", cohorts.cohort_picture, {"form": "svg"}, name="cohort_svg"),
    path("cohorts/<str:key>.png", cohorts.cohort_picture, {"form": "png"}, name="cohort_png"),
    path("cohorts/<str:key>", cohorts.cohort, name="cohort"),
    path("cohorts/<str:key>/edit", cohorts.edit_cohort, name="edit_cohort"),
    path("cohorts/<str:key>/list", cohorts.replace_list, name="replace_cohort_list"),
    path("cohorts/<str:key>/delete", cohorts.delete_cohort, name="delete_cohort"),
    path("numbers/new", views.new_metric, name="new_metric"),
    path("numbers/<str:key>.csv", views.metric_csv, name="metric_csv"),
    path("numbers/<str:key>.svg", views.metric_picture, {"form": "svg"}, name="metric_svg"),
    path("numbers/<str:key>.png", views.metric_picture, {"form": "png"}, name="metric_png"),
    path("numbers/<str:key>", views.metric, name="metric"),
    path("numbers/<str:key>/edit", views.edit_metric, name="edit_metric"),
    path("numbers/<str:key>/delete", views.delete_metric, name="delete_metric"),
    path("numbers/<str:key>/outcome", views.metric_outcome, name="metric_outcome"),
]

root = [
    path("stop-answers/<str:token>", subscriptions.stop_answers, name="stop_answers"),
    path("board/<str:token>", boards.shared, name="shared_board"),
]
