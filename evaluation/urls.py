"""The pages of data sets, evaluations and comparisons."""

from django.urls import path

from evaluation.views import comparisons, data_sets, evaluations

urlpatterns = [
    path("datasets/", data_sets.data_sets, name="datasets"),
    path("datasets/new/", data_sets.new, name="new_dataset"),
    path("datasets/isic/", data_sets.from_archive, name="dataset_from_archive"),
    path("datasets/<int:pk>/", data_sets.data_set, name="dataset"),
    path("datasets/<int:pk>/mapping/", data_sets.mapping, name="dataset_mapping"),
    path("datasets/<int:pk>/refused.csv", data_sets.refused_csv, name="dataset_refused"),
    path("datasets/<int:pk>/images/", data_sets.images, name="dataset_images"),
    path("datasets/<int:pk>/cancel/", data_sets.cancel, name="dataset_cancel"),
    path("datasets/<int:pk>/publish/", data_sets.publish, name="dataset_publish"),
    path("datasets/<int:pk>/delete/", data_sets.delete, name="dataset_delete"),
    path("datasets/images/<int:pk>/<str:rendition>", data_sets.picture, name="labelled_image"),
    path("evaluations/", evaluations.evaluations, name="evaluations"),
    path("evaluations/new/", evaluations.new, name="new_evaluation"),
    path("evaluations/<int:pk>/", evaluations.evaluation, name="evaluation"),
    path("evaluations/<int:pk>/progress/", evaluations.progress, name="evaluation_progress"),
    path("evaluations/<int:pk>/images/", evaluations.images, name="evaluation_images"),
    path("evaluations/<int:pk>/cancel/", evaluations.cancel, name="evaluation_cancel"),
    path("evaluations/<int:pk>/retry/", evaluations.retry, name="evaluation_retry"),
    path("evaluations/<int:pk>/delete/", evaluations.delete, name="evaluation_delete"),
    path("evaluations/<int:pk>/report/", evaluations.report_threshold, name="evaluation_report"),
    path("evaluations/<int:pk>/predictions.csv", evaluations.predictions_csv, name="evaluation_predictions_csv"),
    path("evaluations/<int:pk>/submission.csv", evaluations.submission_csv, name="evaluation_submission"),
    path("evaluations/<int:pk>/metrics.json", evaluations.metrics_json, name="evaluation_metrics"),
    path("evaluations/<int:pk>/capsule.zip", evaluations.capsule_zip, name="evaluation_capsule"),
    path("evaluations/<int:pk>/figures/<str:kind>.<str:form>", evaluations.figure, name="evaluation_figure"),
    path("comparisons/", comparisons.comparisons, name="comparisons"),
    path("comparisons/new/", comparisons.new, name="new_comparison"),
    path("comparisons/<int:pk>/", comparisons.comparison, name="comparison"),
    path("comparisons/<int:pk>/maps/", comparisons.open_as_cases, name="comparison_maps"),
    path("comparisons/<int:pk>/metrics.json", comparisons.metrics_json, name="comparison_metrics"),
    path("comparisons/<int:pk>/delete/", comparisons.delete, name="comparison_delete"),
]
