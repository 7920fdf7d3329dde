"""The product's own settings, on a data folder that is gone afterwards. pytest-django reads this before any conftest."""

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="whytree-test-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
for _name in [name for name in os.environ if name.startswith("WHYTREE_")]:
    if _name != "WHYTREE_DATABASE_URL" and not _name.startswith("WHYTREE_TEST_"):
        del os.environ[_name]
os.environ["WHYTREE_DATA"] = _folder

from whytree.site.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose
WHITENOISE_AUTOREFRESH = True  # looks for a file when one is asked for; else each test's client would read them all
