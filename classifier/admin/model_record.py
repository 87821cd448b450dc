"""Registering models, reading their reports, retiring them. People's cases are not shown to administrators."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from classifier.forms.manifest import IN_INPUT
from classifier.forms.model import TEXTS, RecheckForm, RegistrationForm, TextsForm, remedy
from classifier.models import ModelRecord
from classifier.models.model_record import ModelState
from classifier.services.models.register import delete_model, recheck_model, retire_model
from classifier.services.models.report import report_of
from classifier.services.models.uploads import keep
from skinsite.refusal import Conflict, Refusal

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
REFUSED_FACTS = tuple(name for name in FACTS if name != "architecture")  # there it is a field of the form
SIDES = ("classes", "unnamed", "output", "clinical", "architecture")
PIPELINE = tuple(name for name in IN_INPUT if name != "clinical")
INPUT = ("Input: what is left empty is proposed from the file", {"fields": PIPELINE, "classes": ("collapse",)})


@admin.register(ModelRecord)
class ModelRecordAdmin(admin.ModelAdmin):
    list_display = ("name", "version", "state", "is_default", "framework", "architecture", "parameters", "created")
    list_filter = ("state", "framework", "is_default")
    search_fields = ("name", "version", "architecture", "sha256", "upload_name")
    actions = ("make_default", "make_no_default", "retire")
    ordering = ("-created",)

    class Media:
        css = {"all": ("css/admin.css",)}

    def get_urls(self) -> list[Any]:
        upload = self.admin_site.admin_view(self.upload)
        return [path("upload/", upload, name="classifier_modelrecord_upload"), *super().get_urls()]

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Keep a file that the page sends on its own, as the whole body; answer with what the form has to carry."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        length = request.META.get("CONTENT_LENGTH") or ""
        if request.method != "POST" or not length.isdigit() or int(length) > settings.MODEL_FILE_BYTES:
            return JsonResponse({"problem": "Send one file of at most 2 GB."}, status=413)
        try:
            kept = keep(request, Path(request.GET.get("name", "model")).name)  # type: ignore[arg-type]  # it reads
        except Refusal as refusal:
            return JsonResponse({"problem": str(refusal)}, status=422)
        return JsonResponse({"kept": kept.token(request.user), "size": kept.size, "sha256": kept.sha256})

    def get_form(
        self, request: HttpRequest, obj: ModelRecord | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            return type("RegistrationFormOfRequest", (RegistrationForm,), {"user": request.user})
        form = RecheckForm if obj.state == ModelState.REFUSED else TextsForm
        return super().get_form(request, obj, change, form=form, **(kwargs | {"fields": None}))

    def get_fieldsets(self, request: HttpRequest, obj: ModelRecord | None = None) -> Any:
        if obj is None:
            return [
                (None, {"fields": ("file", "kept", "name", "version")}),
                ("What the file does not say", {"fields": SIDES}),
                INPUT,
                ("About the model", {"fields": ("training_data", "licence", "card")}),
                ("A whole manifest", {"fields": ("manifest",), "classes": ("collapse",)}),
            ]
        report = ("Admission report", {"fields": ("report_table",)})
        if obj.state != ModelState.REFUSED:
            return [(None, {"fields": ("page", *TEXTS)}), report, ("Facts", {"fields": FACTS})]
        return [
            (None, {"fields": ("page", *TEXTS)}),
            ("What the file is checked with", {"fields": SIDES}),
            INPUT,
            ("More of the manifest", {"fields": ("training_data", "manifest")}),
            report,
            ("Facts", {"fields": REFUSED_FACTS}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: ModelRecord | None = None) -> Any:
        if obj is None:
            return ()
        if obj.state == ModelState.REFUSED:
            return ("page", "report_table", *REFUSED_FACTS)
        frozen = () if obj.state == ModelState.CHECKING else ("name",)
        return ("page", "report_table", *FACTS, *frozen)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        record = kwargs.get("obj") or context.get("original")
        form = context["adminform"].form
        more = {"remedy": remedy(record), "refused": record.state == ModelState.REFUSED} if record else {}
        upload = {"upload": getattr(form, "upload", None), "most_bytes": settings.MODEL_FILE_BYTES}
        if not record:
            more = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context | more | upload, *args, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: ModelRecord | None = None) -> bool:
        """A ready model is retired, never deleted; one that was refused may go, with its file."""
        return obj is None or obj.state == ModelState.REFUSED

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def delete_model(self, request: HttpRequest, obj: ModelRecord) -> None:
        try:
            delete_model(record=obj)
        except Conflict as conflict:  # it was checked again meanwhile
            raise PermissionDenied(str(conflict)) from conflict

    def save_model(self, request: HttpRequest, obj: ModelRecord, form: Any, change: bool) -> None:
        if not change:
            return
        obj.save(update_fields=[name for name in TEXTS if name in form.changed_data] or None)
        if isinstance(form, RecheckForm) and (form.asks_again or "_recheck" in request.POST):
            try:
                recheck_model(record=obj, manifest=form.declared())
            except (Conflict, Refusal) as reason:
                self.message_user(request, str(reason), messages.ERROR)

    def response_add(self, request: HttpRequest, obj: ModelRecord, post_url_continue: Any = None) -> HttpResponse:
        """The model's page shows how the check goes."""
        return redirect(obj)

    def response_change(self, request: HttpRequest, obj: ModelRecord) -> HttpResponse:
        checking = ModelRecord.objects.filter(pk=obj.pk, state=ModelState.CHECKING).exists()
        return redirect(obj) if checking else super().response_change(request, obj)

    @admin.display(description="Page")
    def page(self, record: ModelRecord) -> SafeString:
        return format_html('<a href="{}">{}</a>', record.get_absolute_url(), record.get_absolute_url())

    @admin.display(description="Checks")
    def report_table(self, record: ModelRecord) -> str:
        return render_to_string("classifier/_report.html", {"model": record, "report": report_of(record)})

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
