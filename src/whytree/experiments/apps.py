from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    name = "whytree.experiments"
    label = "experiments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import jobs, plugs  # noqa: F401 - importing jobs registers its handlers

        plugs.plug()
