from django.apps import AppConfig


class WhyConfig(AppConfig):
    name = "whytree.why"
    label = "why"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from whytree.why import jobs, plugs  # noqa: F401 - importing jobs registers its handlers

        plugs.plug()
