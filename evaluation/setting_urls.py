"""The pages of setting checks, for administrators."""

from django.urls import path

from evaluation.views import setting_checks

urlpatterns = [
    path("models/<int:pk>/setting-checks/new/", setting_checks.new, name="new_setting_check"),
    path("setting-checks/<int:pk>/", setting_checks.setting_check, name="setting_check"),
    path("setting-checks/<int:pk>/progress/", setting_checks.progress, name="setting_check_progress"),
    path("setting-checks/<int:pk>/cancel/", setting_checks.cancel, name="setting_check_cancel"),
    path("setting-checks/<int:pk>/retry/", setting_checks.retry, name="setting_check_retry"),
    path("setting-checks/<int:pk>/fill/", setting_checks.fill, name="setting_check_fill"),
]
