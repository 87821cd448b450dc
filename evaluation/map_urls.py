"""The pages of map checks."""

from django.urls import path

from evaluation.views import map_checks

urlpatterns = [
    path("map-checks/new/", map_checks.new, name="new_map_check"),
    path("map-checks/<int:pk>/", map_checks.map_check, name="map_check"),
    path("map-checks/<int:pk>/progress/", map_checks.progress, name="map_check_progress"),
    path("map-checks/<int:pk>/cancel/", map_checks.cancel, name="map_check_cancel"),
    path("map-checks/<int:pk>/retry/", map_checks.retry, name="map_check_retry"),
]
