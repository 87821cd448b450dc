"""One manifest of two: what a person declares wins, and what is inferred from the file fills the rest."""

import json
from typing import Any

from pydantic import ValidationError

from classifier.admission.known import architectures
from classifier.admission.manifest.facts import Facts
from classifier.admission.manifest.infer import infer, other
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.report import Report
from classifier.inference.input.manifest import Json, Manifest, PartialManifest, problems
from skinsite.sandbox.ask import InvalidChildOutput
from skinsite.strict_json import strict_json

INFERRED = ("framework", "classes", "output", "input", "architecture")
DEFAULTS = {"name": "Model", "version": "1"}
HINT = "See the example of a manifest on the page."


def read_declared(given: Any) -> PartialManifest:
    """Return what a person gave as a manifest. Raises Refusal for what no file can make one."""
    try:
        return PartialManifest.model_validate(strict_json(json.dumps(given)))
    except ValidationError as error:
        raise refusal(error) from error
    except (RecursionError, ValueError) as error:
        raise Refusal(RefusalCode.BAD_MANIFEST, f"The manifest cannot be read: {error}", HINT) from error


def merge(declared: PartialManifest, inferred: PartialManifest) -> Manifest:
    """Return the complete manifest. Raises ValidationError where both together are none.

    Classes are those that were declared, and those that the file has beyond them; a declared architecture is part of
    the inferred one.
    """
    own, found = declared.to_json(), inferred.to_json()
    parts: Json = DEFAULTS | found | own
    parts["classes"] = [*own.get("classes", ()), *found.get("classes", ())]
    parts["input"] = found.get("input", {}) | own.get("input", {})
    parts |= {name: found[name] for name in ("framework", "architecture") if name in found}
    return Manifest.model_validate(parts)


def complete(
    declared: PartialManifest, facts: Facts, report: Report, *, architecture: Json | None = None
) -> tuple[PartialManifest, Manifest]:
    """Return what the file adds, and the complete manifest. Raises Refusal."""
    try:
        inferred = infer(declared, facts, report, architecture=architecture)
        return inferred, merge(declared, inferred)
    except ValidationError as error:
        raise refusal(error) from error


def merged(declared: PartialManifest, answer: Json) -> Manifest:
    """Merge with what a child says that it inferred. Raises InvalidChildOutput for what no honest child infers."""
    try:
        inferred = PartialManifest.model_validate(answer)
        manifest = merge(declared, inferred)
    except ValidationError as error:
        raise InvalidChildOutput(f"the inferred manifest is none: {problems(error)}") from error
    found = inferred.to_json()
    classes = list(found.get("classes", ()))
    allowed = {
        "members": set(found) <= set(INFERRED),
        "framework": declared.framework in (None, "auto", inferred.framework),
        "classes": classes == ([other(number + 1) for number in range(len(classes))] if declared.unnamed else []),
        "architecture": inferred.architecture is None
        or (
            architectures.completes(declared.architecture, inferred.architecture)
            if declared.architecture
            else architectures.may_be_proposed(inferred.architecture)
        ),
    }
    if wrong := [name for name, is_allowed in allowed.items() if not is_allowed]:
        raise InvalidChildOutput(f"the {', '.join(wrong)} of the inferred manifest are none that a child may infer")
    return manifest


def used(declared: PartialManifest, manifest: Manifest) -> Json:
    """Return the manifest as a model's record keeps it: what was given, with all that was inferred."""
    own, complete = declared.to_json(), manifest.model_dump(mode="json")
    named = own.get("classes", [])
    kept: Json = {
        "name": manifest.name,
        "version": manifest.version,
        "framework": manifest.framework,
        "classes": [*named, *complete["classes"][len(named) :]],
        "output": manifest.output,
        "input": own.get("input", {}) | complete["input"],
    }
    return own | kept | ({"architecture": manifest.architecture} if manifest.architecture is not None else {})


def refusal(error: ValidationError) -> Refusal:
    """Return the refusal that names the first field that is wrong, and in its hint all of them."""
    (field, words), *others = problems(error)
    more = f" ({len(others)} more fields are wrong.)" if others else ""
    hint = "; ".join(f"{name} {text}" for name, text in problems(error))[:1000]
    return Refusal(RefusalCode.BAD_MANIFEST, f"The manifest's {field} {words}.{more}", hint)
