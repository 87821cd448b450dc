"""The pages of models and cases."""

from django.urls import path

from classifier.views import case, export, history, media, models, new_case, start

urlpatterns = [
    path("", start.start, name="start"),
    path("about/", start.about, name="about"),
    path("healthz", start.healthz, name="healthz"),
    path("cases/", history.cases, name="cases"),
    path("cases/new/", new_case.new_case, name="new_case"),
    path("cases/delete/", history.delete, name="delete_cases"),
    path("cases/export.json", export.cases_json, name="cases_json"),
    path("cases/export.csv", export.cases_csv, name="cases_csv"),
    path("cases/<int:pk>/", case.case, name="case"),
    path("cases/<int:pk>/export.json", export.case_json, name="case_json"),
    path("cases/<int:pk>/export.csv", export.case_csv, name="case_csv"),
    path("cases/<int:pk>/panel/", case.case_panel, name="case_panel"),
    path("cases/<int:pk>/again/", case.case_again, name="case_again"),
    path("cases/<int:pk>/cancel/", case.case_cancel, name="case_cancel"),
    path("cases/<int:case_pk>/images/<int:pk>/<str:rendition>", media.image, name="image"),
    path("predictions/<int:pk>/cancel/", case.prediction_cancel, name="prediction_cancel"),
    path("predictions/<int:pk>/retry/", case.prediction_retry, name="prediction_retry"),
    path("predictions/<int:pk>/explain/", case.prediction_explain, name="prediction_explain"),
    path("predictions/<int:pk>/heat.png", media.heat, name="heat"),
    path("predictions/<int:pk>/map.png", media.map_picture, name="map_picture"),
    path("predictions/<int:pk>/map.csv", media.map_numbers, name="map_numbers"),
    path("models/", models.models, name="models"),
    path("models/<int:pk>/", models.model, name="model"),
    path("models/<int:pk>/admission/", models.model_admission, name="model_admission"),
    path("models/<int:pk>/README.md", models.model_card, name="model_card"),
    path("models/<int:pk>/choose/", models.model_choose, name="model_choose"),
    path("models/<int:pk>/retire/", models.model_retire, name="model_retire"),
]
