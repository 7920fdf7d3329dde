"""Django's settings, all from `whytree.options`. Nothing here is meant to be edited."""

import os
from typing import Any
from urllib.parse import unquote, urlsplit

import django_stubs_ext

from whytree import options

django_stubs_ext.monkeypatch()

WHYTREE = options.read()
options.ensure_data_folder(WHYTREE)

SECRET_KEY = options.ensure_secret_key(WHYTREE)
DEBUG = WHYTREE.debug
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *WHYTREE.allowed_hosts]
if WHYTREE.public_url:
    ALLOWED_HOSTS.append(urlsplit(WHYTREE.public_url).hostname or "localhost")

INSTALLED_APPS = [
    "whytree.site",
    "whytree.why",
    "whytree.learning",
    "whytree.experiments",
    "whytree.voice",
    "whytree.flags",
    "whytree.analytics",
    "whytree.tree",
    "whytree.code",
    "whytree.events",
    "whytree.people",
    "whytree.workspace",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "ninja",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whytree.site.doors.Doors",
    "whytree.site.assets.ServeFiles",
    "whytree.site.middleware.Policies",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "whytree.site.middleware.Errors",
]

ROOT_URLCONF = "whytree.site.urls"
WSGI_APPLICATION = "whytree.site.wsgi.application"
APPEND_SLASH = False
AUTH_USER_MODEL = "workspace.User"
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "whytree.site.context.shell",
            ],
            "builtins": ["whytree.site.templatetags.whytree"],
        },
    }
]


def _database(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.removeprefix("sqlite:///"),
            "CONN_MAX_AGE": None,  # the last connection to close writes the whole journal back: not after each request
            "OPTIONS": {
                # IMMEDIATE: a writer waits at its start for the other one, instead of failing in its middle.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                # FULL: what was acknowledged survives a power cut, for some milliseconds a commit (docs/decisions/0061).
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=134217728; PRAGMA cache_size=-16000",
            },
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        # not `hostname`, which folds case: a socket's folder is written as %2Fvar%2Frun%2Fpostgresql
        "HOST": unquote(parts.netloc.rpartition("@")[2].partition(":")[0]),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def _sessions(url: str) -> str:
    """Several processes may share PostgreSQL, and what one of them remembers, no sign-out at another makes it forget."""
    return f"django.contrib.sessions.backends.{'cached_db' if url.startswith('sqlite') else 'db'}"


DATABASES = {"default": _database(WHYTREE.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
LANGUAGE_CODE = "en"

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # files are served from the package: no collectstatic step
WHITENOISE_MAX_AGE = (
    60  # an address without the hash of what is in it; `assets.ServeFiles` says when one is kept for ever
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whytree.site.assets.FingerprintedFiles"},
}

_secure = WHYTREE.public_url.startswith("https://")
SESSION_COOKIE_SECURE = _secure
CSRF_COOKIE_SECURE = _secure
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
SESSION_ENGINE = _sessions(WHYTREE.database_url)
CSRF_TRUSTED_ORIGINS = [WHYTREE.public_url] if WHYTREE.public_url else []
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 30 if _secure else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = WHYTREE.max_body_mb * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
_MEMORY = "django.core.cache.backends.locmem.LocMemCache"
CACHES = {
    "default": {"BACKEND": _MEMORY, "OPTIONS": {"MAX_ENTRIES": 5000}},
    # How often somebody knocked or was wrong: apart, so that no answer kept meanwhile, nor an erasure, makes it forgotten.
    "counts": {"BACKEND": _MEMORY, "LOCATION": "counts", "OPTIONS": {"MAX_ENTRIES": 100_000}},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"routes": {"()": "whytree.site.log_routes.Routes"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("WHYTREE_TEST_LOG", "WARNING")},
    # waitress warns whenever a request waits for a thread, which is what its queue is for
    "loggers": {
        "django.request": {"level": "ERROR", "filters": ["routes"]},
        "django.security.csrf": {"filters": ["routes"]},
        "waitress.queue": {"level": "ERROR"},
    },
}
