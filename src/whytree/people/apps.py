from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "whytree.people"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import jobs  # noqa: F401 - importing registers its handler
        from .plugs import plug

        plug()
