"""Our own files' addresses carry the version, so that a browser never mixes two releases."""

from django.contrib.staticfiles.storage import StaticFilesStorage

from whytree import __version__


class VersionedFiles(StaticFilesStorage):
    """`/static/whytree/pages.js?v=0.1.0`: cached for long, and fetched anew after an upgrade."""

    def url(self, name: str | None) -> str:
        return f"{super().url(name)}?v={__version__}"
