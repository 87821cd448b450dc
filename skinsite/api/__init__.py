"""The API at /api/v1: the frame. Each app brings a router, and skinsite/urls.py joins them."""

from skinsite.api.access import Bearer
from skinsite.api.pace import PerPerson
from skinsite.api.parsing import StrictParser
from skinsite.api.portal_api import PortalAPI

api = PortalAPI(
    title="Skinsite",
    version="1",
    description="Skin-lesion classifiers on your images. Research and teaching only, never diagnosis.",
    urls_namespace="api",
    auth=Bearer(),
    throttle=[PerPerson()],
    parser=StrictParser(),
)

__all__ = ["api"]
