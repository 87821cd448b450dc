"""Loaded before Django's settings: tests write below a folder of their own, never into the portal's data.

Each worker of xdist has one below that of the process which started it; what is the same for all is made once, beside.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

SHARED = "SKINSITE_TESTS"


def _folder() -> Path:
    worker, shared = os.environ.get("PYTEST_XDIST_WORKER", ""), os.environ.pop(SHARED, "")
    if worker and shared:
        folder = Path(shared, worker)
        folder.mkdir(mode=0o700)
        Path(shared, "static").mkdir(exist_ok=True)
        (folder / "static").symlink_to(Path(shared, "static"))
        return folder
    made = tempfile.mkdtemp(prefix="skinsite-tests-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    os.environ[SHARED] = made
    return Path(made)


os.environ["SKINSITE_DATA"] = str(_folder())
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: threads only wait for one another
for name in ("REDIS_URL", "SKINSITE_STORAGE", "SKINSITE_SIGNUP", "SKINSITE_ORIGIN", "SKINSITE_SMTP"):
    os.environ.pop(name, None)
