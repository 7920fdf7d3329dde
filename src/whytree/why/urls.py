"""Addresses of this app: pages of a product, and what belongs to a person."""

from django.urls import path

from . import pages as views
from .ahead import pages as pages_improve
from .coverage import pages as coverage_pages
from .daily import monday as pages_monday
from .daily import pages as pages_daily
from .delivery import pages as pages_delivery
from .first import confirming
from .starting import pages as pages_start

pages = [
    path("why", views.why, name="why"),
    path("why/tell", views.tell, name="why_tell"),
    path("why/told/<int:pk>/withdraw", views.withdraw, name="why_withdraw"),
    path("why/links", confirming.links, name="confirm_links"),
    path("why/box", views.box, name="why_box"),
    path("coverage", coverage_pages.coverage_page, name="coverage"),
    path("deployments", pages_delivery.deployments, name="deployments"),
    path("improve", pages_improve.improve, name="improve"),
    path("daily/others", pages_daily.others, name="daily_others"),
    path("settings/monday", pages_monday.channel, name="monday_channel"),
    path("settings/monday/act", pages_monday.channel_act, name="monday_channel_act"),
    path("start", pages_start.start, name="start"),
]

root = [
    path("mail", pages_monday.mine, name="your_mail"),
    path("mail/<slug:product>", pages_monday.mine_act, name="your_mail_act"),
    path("mail/stop/<str:token>", pages_monday.stop, name="stop_mail"),
    path("mail/stop-alarms/<str:token>", pages_monday.stop_alarms, name="stop_alarms"),
    path("feed/<str:token>", pages_monday.feed, name="digest_feed"),
]
