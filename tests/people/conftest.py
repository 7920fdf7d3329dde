from tests.events.conftest import Sender, _threads_end, backend, web

__all__ = ["Sender", "_threads_end", "backend", "web"]
