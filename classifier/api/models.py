"""Models: list, register, check again, retire."""

from typing import Annotated, Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile as SentFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import File, Form, Router, Status
from ninja.files import UploadedFile

from classifier.api.schemas import Model, ModelList, Recheck
from classifier.models import ModelRecord
from classifier.services.models.register import MANIFEST_BYTES, recheck_model, register_model, retire_model
from classifier.services.predictions.documents import model_document
from skinsite.api.access import AdministratorBearer, person_of
from skinsite.api.parsing import row_id
from skinsite.api.problems import problems
from skinsite.refusal import Problem, Refusal
from skinsite.strict_json import strict_json

router = Router(tags=["models"])
administrators = AdministratorBearer()
registration = AdministratorBearer(largest_body=settings.MODEL_FILE_BYTES + 2 * MANIFEST_BYTES)


@router.get("", response={200: ModelList} | problems(401, 422, 429), url_name="models", summary="List models")
def list_models(request: HttpRequest) -> Any:
    """Ready and retired ones; administrators also see what is being checked and what was refused."""
    models = ModelRecord.objects.visible_to(person_of(request))
    return {"items": [model_document(model) for model in models], "next": None}


@router.post(
    "",
    auth=registration,
    response={202: Model} | problems(401, 403, 413, 422, 429),
    summary="Register a model",
)
def register(
    request: HttpRequest,
    response: HttpResponse,
    file: Annotated[UploadedFile, File()],
    manifest: Annotated[str, Form()] = "{}",
) -> Any:
    """The file is checked and converted; ask for the model until it is ready or refused. `manifest` is a JSON object,
    as `recheck` takes it: what the file does not say itself."""
    given = request.FILES.get("manifest")
    declared = _manifest(given.read() if isinstance(given, SentFile) else manifest)
    admission = register_model(user=person_of(request), file=file, file_name=file.name or "model", manifest=declared)
    return _queued(response, admission.record_id)


@router.get("/{id}", response={200: Model} | problems(401, 404, 422, 429), url_name="model", summary="One model")
def get_model(request: HttpRequest, id: str) -> Any:
    return model_document(_visible(request, id))


@router.post(
    "/{id}/recheck",
    auth=administrators,
    response={202: Model} | problems(401, 403, 404, 409, 413, 422, 429),
    summary="Check a refused model again",
)
def recheck(request: HttpRequest, response: HttpResponse, id: str, payload: Recheck) -> Any:
    """With another manifest, on the same upload."""
    model = _visible(request, id)
    recheck_model(record=model, manifest=payload.manifest)
    return _queued(response, model.pk)


@router.post(
    "/{id}/retire",
    auth=administrators,
    response={200: Model} | problems(401, 403, 404, 409, 422, 429),
    summary="Retire a model",
)
def retire(request: HttpRequest, id: str) -> Any:
    """It keeps its past predictions and gets no new ones."""
    model = _visible(request, id)
    retire_model(record=model)
    return model_document(ModelRecord.objects.get(pk=model.pk))


def _visible(request: HttpRequest, id: str) -> ModelRecord:
    return get_object_or_404(ModelRecord.objects.visible_to(person_of(request)), pk=row_id(id))


def _queued(response: HttpResponse, pk: int) -> Status:
    """Point to the model, which is being checked."""
    response["Location"] = reverse("api:model", args=[pk])
    return Status(202, model_document(ModelRecord.objects.get(pk=pk)))


def _manifest(text: str | bytes) -> dict[str, Any]:
    try:
        manifest = strict_json(text or "{}")
    except ValueError as error:
        raise Refusal(Problem("manifest", f"The manifest cannot be read as JSON: {error}")) from error
    if not isinstance(manifest, dict):
        raise Refusal(Problem("manifest", "The manifest must be a JSON object, in braces."))
    return manifest
