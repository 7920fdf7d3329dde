from django.urls import path

from . import pages as views
from .calibration import pages as calibration
from .debts import pages as debts
from .guards import pages as guards
from .predictions import pages as predictions
from .programme import pages as programme

pages = [
    path("REV-<int:number>", views.review, name="review"),
    path("REV-<int:number>/decide", views.decide, name="review_decide"),
    path("REV-<int:number>/postpone", views.postpone, name="review_postpone"),
    path("HYP-<int:number>/predict", predictions.predict, name="predict"),
    path("changes", views.changes, name="changes"),
    path("calibration", calibration.show, name="calibration"),
    path("debts", debts.debts, name="debts"),
    path("debts/add", debts.add, name="debt_add"),
    path("debts/<int:number>/close", debts.close, name="debt_close"),
    path("guards/<int:number>", guards.change, name="guard_change"),
    path("programme", programme.show, name="programme"),
    path("learned", views.learned, name="learned"),
]
