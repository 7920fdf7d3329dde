from django.apps import AppConfig


class FlagsConfig(AppConfig):
    name = "whytree.flags"
    label = "flags"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from whytree.flags import plugs

        plugs.plug()
