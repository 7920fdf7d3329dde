"""The application a WSGI server runs."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whytree.site.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from .serving.proxies import BehindProxy

application = BehindProxy(get_wsgi_application(), settings.WHYTREE.trusted_proxy)
