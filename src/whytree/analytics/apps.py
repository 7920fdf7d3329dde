from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "whytree.analytics"
    label = "analytics"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import plugs

        plugs.plug()
