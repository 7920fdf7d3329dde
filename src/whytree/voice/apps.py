from django.apps import AppConfig
from django.db.models.signals import post_migrate


class VoiceConfig(AppConfig):
    name = "whytree.voice"
    label = "voice"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import plugs, search
        from .themes import jobs  # noqa: F401 - importing them registers their handlers

        post_migrate.connect(search.ensure_index, sender=self)
        plugs.plug()
