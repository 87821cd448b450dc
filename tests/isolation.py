"""Loaded before Django's settings: tests write below a folder of their own, never into the portal's data."""

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="skinsite-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["SKINSITE_DATA"] = _folder
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: threads only wait for one another
for name in ("REDIS_URL", "SKINSITE_STORAGE", "SKINSITE_SIGNUP", "SKINSITE_ORIGIN", "SKINSITE_SMTP"):
    os.environ.pop(name, None)
