"""Registering models, reading their reports, retiring them. People's cases are not shown to administrators."""

from pathlib import Path
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from classifier.forms.manifest import SKELETON, ManifestField
from classifier.models import Admission, ModelRecord
from classifier.models.model_record import ModelState
from classifier.services.admissions import recheck_model, register_model, retire_model
from skinsite.refusal import Conflict, Refusal

TEXTS = ("name", "licence", "card")
FACTS = (
    "state",
    "is_default",
    "version",
    "framework",
    "architecture",
    "parameters",
    "sha256",
    "layer",
    "upload_name",
    "upload_sha256",
    "created",
    "created_by",
)


class RegistrationForm(forms.ModelForm):
    """A file and what it does not say itself."""

    file = forms.FileField(
        label="Model file",
        help_text="A Keras .keras or .h5 file, or a PyTorch state_dict as .pth, .pt or .safetensors.",
    )
    manifest = ManifestField(
        initial=SKELETON,
        help_text="Name, classes in the order of the outputs, input and architecture; what is left out is proposed.",
    )

    user: Any = None
    registered: ModelRecord

    class Meta:
        model = ModelRecord
        fields = ()

    def clean(self) -> dict[str, Any]:
        """Register here, so that a refusal stands beside its field and nothing is written."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        file = cleaned["file"]
        try:
            admission = register_model(
                user=self.user, file=file, file_name=Path(file.name).name, manifest=cleaned["manifest"]
            )
        except Refusal as refusal:
            for problem in refusal.problems:
                self.add_error("file" if problem.field == "file" else "manifest", problem.message)
        else:
            self.registered = self.instance = ModelRecord.objects.get(pk=admission.record_id)
        return cleaned

    def _post_clean(self) -> None:
        """The service has validated and written the record."""

    def save(self, commit: bool = True) -> ModelRecord:
        return self.registered

    def save_m2m(self) -> None:
        """There is nothing of the kind."""


class RecheckForm(forms.ModelForm):
    """The texts of a model; for a refused one also another manifest."""

    other_manifest = ManifestField(
        label="Manifest", required=False, help_text="Change it and save: the same file is checked again."
    )

    class Meta:
        model = ModelRecord
        fields = TEXTS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.state != ModelState.REFUSED:
            del self.fields["other_manifest"]
            return
        last = Admission.objects.filter(record=self.instance).last()
        self.fields["other_manifest"].initial = last.manifest if last else {}


@admin.register(ModelRecord)
class ModelRecordAdmin(admin.ModelAdmin):
    list_display = ("name", "version", "state", "is_default", "framework", "architecture", "parameters", "created")
    list_filter = ("state", "framework", "is_default")
    search_fields = ("name", "version", "architecture", "sha256", "upload_name")
    actions = ("make_default", "make_no_default", "retire")
    ordering = ("-created",)

    def get_form(
        self, request: HttpRequest, obj: ModelRecord | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is not None:
            return super().get_form(request, obj, change, form=RecheckForm, **kwargs)
        return type("RegistrationFormOfRequest", (RegistrationForm,), {"user": request.user})

    def get_fieldsets(self, request: HttpRequest, obj: ModelRecord | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("file", "manifest")})]
        texts = [*TEXTS, "other_manifest"] if obj.state == ModelState.REFUSED else TEXTS
        return [
            (None, {"fields": ("page", *texts)}),
            ("Admission report", {"fields": ("report_table",)}),
            ("Facts", {"fields": FACTS}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: ModelRecord | None = None) -> Any:
        if obj is None:
            return ()
        frozen = () if obj.state in (ModelState.CHECKING, ModelState.REFUSED) else ("name",)
        return ("page", "report_table", *FACTS, *frozen)

    def has_delete_permission(self, request: HttpRequest, obj: ModelRecord | None = None) -> bool:
        """A model with predictions is retired, never deleted; one that was refused may go."""
        return obj is None or obj.state == ModelState.REFUSED

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def save_model(self, request: HttpRequest, obj: ModelRecord, form: Any, change: bool) -> None:
        if not change:
            return
        obj.save(update_fields=[name for name in TEXTS if name in form.changed_data] or None)
        if "other_manifest" in form.changed_data:
            try:
                recheck_model(record=obj, manifest=form.cleaned_data["other_manifest"])
            except (Conflict, Refusal) as reason:
                self.message_user(request, str(reason), messages.ERROR)

    @admin.display(description="Page")
    def page(self, record: ModelRecord) -> SafeString:
        return format_html('<a href="{}">{}</a>', record.get_absolute_url(), record.get_absolute_url())

    @admin.display(description="Checks")
    def report_table(self, record: ModelRecord) -> str:
        return render_to_string("admin/classifier/modelrecord/report.html", {"record": record})

    @admin.action(description="Preselect for new cases")
    def make_default(self, request: HttpRequest, models: QuerySet[ModelRecord]) -> None:
        changed = models.filter(state=ModelState.READY).update(is_default=True)
        self.message_user(request, f"{changed} ready models are preselected.")

    @admin.action(description="Preselect no longer")
    def make_no_default(self, request: HttpRequest, models: QuerySet[ModelRecord]) -> None:
        models.update(is_default=False)

    @admin.action(description="Retire")
    def retire(self, request: HttpRequest, models: QuerySet[ModelRecord]) -> None:
        for record in models:
            try:
                retire_model(record=record)
            except Conflict as conflict:
                self.message_user(request, f"{record}: {conflict}", messages.WARNING)
