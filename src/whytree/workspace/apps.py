from django.apps import AppConfig


class WorkspaceConfig(AppConfig):
    name = "whytree.workspace"
    label = "workspace"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import archive  # noqa: F401 - importing registers its handler
        from .background import sessions  # noqa: F401 - likewise
        from .background.fresh import renew_behind, stop_renewing
        from .background.lifecycle import at_shutdown, at_start

        at_start(renew_behind, first=True)
        at_shutdown(stop_renewing)
