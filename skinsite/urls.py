"""The only module that imports views and the API."""

from django.contrib import admin
from django.urls import include, path

from classifier.api import cases, models, predictions
from evaluation.api import comparisons, data_sets, evaluations, map_checks, setting_checks
from skinsite.api import api

admin.site.site_header = admin.site.site_title = "Skinsite administration"

api.add_router("/models", models.router)
api.add_router("/cases", cases.router)
api.add_router("/predictions", predictions.router)
api.add_router("/datasets", data_sets.router)
api.add_router("/evaluations", evaluations.router)
api.add_router("/comparisons", comparisons.router)
api.add_router("/map-checks", map_checks.router)
api.add_router("/models", setting_checks.of_models)
api.add_router("/setting-checks", setting_checks.router)
api.add_router("", predictions.pictures)

urlpatterns = [
    path("api/v1/", api.urls),
    path("accounts/", include("skinsite.accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("classifier.urls")),
    path("", include("evaluation.urls")),
]
