"""Data sets, evaluations, training lists and places of classes in the Django admin."""

from typing import Any

from django.contrib import admin

from evaluation.models import ClassPlace, Comparison, DataSet, Evaluation, MapCheck, SettingCheck, TrainingSet


class ReadOnly(admin.ModelAdmin):
    """What workers write is not edited by hand."""

    def has_add_permission(self, request: object) -> bool:
        return False


@admin.register(DataSet)
class DataSetAdmin(ReadOnly):
    list_display = ("name", "owner", "state", "published", "synthetic", "created")
    list_filter = ("state", "published", "synthetic")
    search_fields = ("name", "owner__username")
    fields = ("name", "published")


class OnADataSetAdmin(ReadOnly):
    """A model's work on a data set."""

    list_display = ("pk", "model", "data_set", "owner", "state", "done", "total")
    list_filter = ("state",)
    list_select_related = ("model", "data_set", "owner")


@admin.register(Evaluation)
class EvaluationAdmin(OnADataSetAdmin):
    fields = readonly_fields = ("model", "data_set", "owner", "state", "error_message")


@admin.register(Comparison)
class ComparisonAdmin(ReadOnly):
    list_display = ("pk", "data_set", "owner", "taxonomy", "state")
    fields = readonly_fields = ("data_set", "owner", "taxonomy", "state", "error_message")


@admin.register(SettingCheck)
class SettingCheckAdmin(OnADataSetAdmin):
    fields = readonly_fields = ("model", "data_set", "owner", "state", "filled", "error_message")


@admin.register(MapCheck)
class MapCheckAdmin(OnADataSetAdmin):
    fields = readonly_fields = ("model", "data_set", "owner", "state", "seed", "busy_seconds", "error_message")


@admin.register(TrainingSet)
class TrainingSetAdmin(admin.ModelAdmin):
    list_display = ("name", "model", "data_set")
    list_filter = ("model",)
    list_select_related = ("model", "data_set")

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        made = super().formfield_for_dbfield(db_field, request, **kwargs)
        if made is not None and db_field.name == "identifiers":
            made.help_text = "One a line: an image's id, a lesion's id, or the SHA-256 of an image's decoded pixels."
        return made


@admin.register(ClassPlace)
class ClassPlaceAdmin(admin.ModelAdmin):
    list_display = ("model", "taxonomy", "code", "place")
    list_filter = ("taxonomy",)
    list_select_related = ("model",)
