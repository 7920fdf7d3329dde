from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "whytree.analytics"
    label = "analytics"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import jobs, plugs  # noqa: F401 - importing jobs registers its handlers

        plugs.plug()
