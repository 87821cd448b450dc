"""The pages of data sets, evaluations, comparisons and checks."""

from django.urls import path

from evaluation.models import Comparison, DataSet, Evaluation, MapCheck, SettingCheck
from evaluation.services.evaluations.start import delete_evaluation
from evaluation.views import comparisons, data_sets, evaluations, map_checks, setting_checks
from skinsite.jobs import pages

DATA_SET, EVALUATION, COMPARISON = {"kind": DataSet}, {"kind": Evaluation}, {"kind": Comparison}
MAP_CHECK, SETTING_CHECK = {"kind": MapCheck}, {"kind": SettingCheck}

urlpatterns = [
    path("datasets/", pages.listed, DATA_SET, name="datasets"),
    path("datasets/new/", data_sets.new, name="new_dataset"),
    path("datasets/isic/", data_sets.from_archive, name="dataset_from_archive"),
    path("datasets/<int:pk>/", data_sets.data_set, name="dataset"),
    path("datasets/<int:pk>/mapping/", data_sets.mapping, name="dataset_mapping"),
    path("datasets/<int:pk>/refused.csv", data_sets.refused_csv, name="dataset_refused"),
    path("datasets/<int:pk>/images/", data_sets.images, name="dataset_images"),
    path("datasets/<int:pk>/cancel/", pages.cancel, DATA_SET, name="dataset_cancel"),
    path("datasets/<int:pk>/publish/", data_sets.publish, name="dataset_publish"),
    path("datasets/<int:pk>/delete/", pages.delete, DATA_SET, name="dataset_delete"),
    path("datasets/images/<int:pk>/<str:rendition>", data_sets.picture, name="labelled_image"),
    path("evaluations/", pages.listed, EVALUATION, name="evaluations"),
    path("evaluations/new/", evaluations.new, name="new_evaluation"),
    path("evaluations/<int:pk>/", evaluations.evaluation, name="evaluation"),
    path("evaluations/<int:pk>/progress/", pages.progress, EVALUATION, name="evaluation_progress"),
    path("evaluations/<int:pk>/images/", evaluations.images, name="evaluation_images"),
    path("evaluations/<int:pk>/cancel/", pages.cancel, EVALUATION, name="evaluation_cancel"),
    path("evaluations/<int:pk>/retry/", pages.retry, EVALUATION, name="evaluation_retry"),
    path(
        "evaluations/<int:pk>/delete/",
        pages.delete,
        EVALUATION | {"delete": delete_evaluation},
        name="evaluation_delete",
    ),
    path("evaluations/<int:pk>/report/", evaluations.report_threshold, name="evaluation_report"),
    path("evaluations/<int:pk>/predictions.csv", evaluations.predictions_csv, name="evaluation_predictions_csv"),
    path("evaluations/<int:pk>/submission.csv", evaluations.submission_csv, name="evaluation_submission"),
    path("evaluations/<int:pk>/metrics.json", evaluations.metrics_json, name="evaluation_metrics"),
    path("evaluations/<int:pk>/capsule.zip", evaluations.capsule_zip, name="evaluation_capsule"),
    path("evaluations/<int:pk>/figures/<str:kind>.<str:form>", evaluations.figure, name="evaluation_figure"),
    path("comparisons/", pages.listed, COMPARISON, name="comparisons"),
    path("comparisons/new/", comparisons.new, name="new_comparison"),
    path("comparisons/<int:pk>/", comparisons.comparison, name="comparison"),
    path("comparisons/<int:pk>/maps/", comparisons.open_as_cases, name="comparison_maps"),
    path("comparisons/<int:pk>/metrics.json", comparisons.metrics_json, name="comparison_metrics"),
    path("comparisons/<int:pk>/delete/", pages.delete, COMPARISON, name="comparison_delete"),
    path("map-checks/new/", map_checks.new, name="new_map_check"),
    path("map-checks/<int:pk>/", map_checks.map_check, name="map_check"),
    path("map-checks/<int:pk>/progress/", pages.progress, MAP_CHECK, name="map_check_progress"),
    path("map-checks/<int:pk>/cancel/", pages.cancel, MAP_CHECK, name="map_check_cancel"),
    path("map-checks/<int:pk>/retry/", pages.retry, MAP_CHECK, name="map_check_retry"),
    path("models/<int:pk>/setting-checks/new/", setting_checks.new, name="new_setting_check"),
    path("setting-checks/<int:pk>/", setting_checks.setting_check, name="setting_check"),
    path("setting-checks/<int:pk>/progress/", pages.progress, SETTING_CHECK, name="setting_check_progress"),
    path("setting-checks/<int:pk>/cancel/", pages.cancel, SETTING_CHECK, name="setting_check_cancel"),
    path("setting-checks/<int:pk>/retry/", pages.retry, SETTING_CHECK, name="setting_check_retry"),
    path("setting-checks/<int:pk>/fill/", setting_checks.fill, name="setting_check_fill"),
]
