from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "whytree.events"
    label = "events"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from whytree.workspace.background.lifecycle import after_import, at_shutdown, at_start

        from . import jobs  # noqa: F401 - importing registers its handlers
        from .durable.commit import close_commit, open_commit
        from .durable.follow import start_following, start_over, stop_following
        from .plugs import plug
        from .relay.sending import start_relays, stop_relays

        at_start(open_commit)
        at_start(start_following)
        at_start(start_relays)
        at_shutdown(stop_relays)
        at_shutdown(stop_following)
        at_shutdown(close_commit)  # runs first: what it still writes is followed
        after_import(start_over)
        plug()
