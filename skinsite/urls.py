"""The only module that imports views and the API."""

from django.contrib import admin
from django.urls import include, path

admin.site.site_header = admin.site.site_title = "Skinsite administration"

urlpatterns = [
    path("accounts/", include("skinsite.accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("classifier.urls")),
]
