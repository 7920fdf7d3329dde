from django.apps import AppConfig


class TreeConfig(AppConfig):
    name = "whytree.tree"
    label = "tree"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from whytree.tree import plugs

        plugs.plug()
