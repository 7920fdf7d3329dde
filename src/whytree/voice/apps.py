from django.apps import AppConfig
from django.db.models.signals import post_migrate


class VoiceConfig(AppConfig):
    name = "whytree.voice"
    label = "voice"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import jobs, plugs  # noqa: F401 - importing jobs registers its handlers
        from .board import jobs as board_jobs  # noqa: F401 - likewise
        from .finding import search
        from .interviews import plugs as interview_plugs
        from .meaning import jobs as meaning_jobs  # noqa: F401 - likewise
        from .replies import jobs as reply_jobs  # noqa: F401 - likewise
        from .themes import jobs as theme_jobs  # noqa: F401 - likewise

        post_migrate.connect(search.ensure_index, sender=self)
        plugs.plug()
        interview_plugs.plug()
