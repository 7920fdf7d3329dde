from django.apps import AppConfig


class CodeConfig(AppConfig):
    name = "whytree.code"
    label = "code"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from whytree.code import plugs
        from whytree.code.mirrors import jobs  # noqa: F401 - importing jobs registers its handlers

        plugs.plug()
