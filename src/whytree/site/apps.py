from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "whytree.site"
    label = "site"
