"""The web process."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skinsite.settings")
application = get_wsgi_application()

len(get_resolver().url_patterns)  # so that the first request need not wait for all views to be imported
gc.collect()
gc.freeze()  # a full collection looks at what requests have made, not at every module: 0.1 s less, now and then
