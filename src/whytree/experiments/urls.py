from django.urls import path

from . import pages as views
from .deeper import pages as deeper
from .preparing import pages as preparing

pages = [
    path("experiments", views.experiments, name="experiments"),
    path("experiments/before-after", deeper.before_and_after, name="before_after"),
    path("experiments/bandit", deeper.bandit, name="bandit"),
    path("experiments/new", preparing.new, name="experiment_new"),
    path("experiments/EXP-<int:number>", views.experiment, name="experiment"),
    path("EXP-<int:number>", views.by_id),
    path("experiments/EXP-<int:number>.csv", views.table, name="experiment_csv"),
    path("experiments/EXP-<int:number>.json", views.document, name="experiment_json"),
    path("experiments/EXP-<int:number>.svg", views.picture, {"form": "svg"}, name="experiment_svg"),
    path("experiments/EXP-<int:number>.png", views.picture, {"form": "png"}, name="experiment_png"),
    path("experiments/EXP-<int:number>/start", views.start, name="experiment_start"),
    path("experiments/EXP-<int:number>/stop", views.stop, name="experiment_stop"),
    path("rollouts/<str:key>/start", preparing.start_rollout, name="rollout_start"),
    path("rollouts/<str:key>/<slug:verb>", preparing.change_rollout, name="rollout_change"),
    path("experiments/EXP-<int:number>/decide", views.decide, name="experiment_decide"),
]
