"""The manifest that is kept: what the administrator gave, and of what a child made of it only what it had to add."""

import math
from dataclasses import asdict
from typing import Any

import jsonschema

from classifier.admission.known import architectures
from classifier.admission.manifest import propose
from classifier.admission.manifest.schemas import GIVEN
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.inference.input.manifest import DEFAULTS, Manifest, ManifestError
from skinsite.sandbox.ask import InvalidChildOutput

SETTLED = ("framework", "classes", "output", "input", "architecture")
HINT = "See the example of a manifest on the page."


def check(manifest: dict[str, Any]) -> None:
    """Raises Refusal where a given manifest has another shape than GIVEN, or a number that is none."""
    try:
        jsonschema.validate(manifest, GIVEN)
    except jsonschema.ValidationError as error:
        message = f"The manifest cannot be read at “{error.json_path.removeprefix('$.')}”: {error.message[:200]}."
        raise Refusal(RefusalCode.BAD_MANIFEST, message, HINT) from error
    rest: list[Any] = [manifest]
    while rest:  # as deep as JSON can be: no recursion
        value = rest.pop()
        rest.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
        if isinstance(value, float) and not math.isfinite(value):
            message = f"The manifest holds {value}, which is no number."
            raise Refusal(RefusalCode.BAD_MANIFEST, message, HINT)


def told(given: dict[str, Any]) -> dict[str, Any]:
    """What was said: null, and an architecture without any part, are the same as nothing."""
    told = {name: value for name, value in given.items() if value is not None and (name, value) != ("architecture", {})}
    if "input" in told:
        told["input"] = {name: value for name, value in told["input"].items() if value is not None}
    return told


def agreed(given: dict[str, Any], complete: dict[str, Any]) -> tuple[dict[str, Any], Manifest]:
    """Return the manifest to keep: what was given, and of the child's only what it has to add.

    Those are framework, classes, output, input and architecture, each checked; all that was said stays as it was.
    Raises InvalidChildOutput.
    """
    _require_kept(given, complete)
    try:
        checked = Manifest.from_json({**given, **{name: complete.get(name) for name in SETTLED}, **_named(given)})
    except ManifestError as error:
        raise InvalidChildOutput(f"the complete manifest is none: {error}") from error
    used = {
        **_named(given),
        **given,
        "framework": checked.framework,
        "classes": complete["classes"],
        "output": checked.output,
        "input": {**given.get("input", {}), **_listed(asdict(checked.input))},
    }
    if checked.architecture is not None:
        used["architecture"] = dict(checked.architecture)
    return used, checked


def _require_kept(given: dict[str, Any], complete: dict[str, Any]) -> None:
    """Raises InvalidChildOutput where the child's manifest contradicts the given one, or adds what no child may."""
    classes, said = complete.get("classes"), list(given.get("classes", ()))
    others = len(classes) - len(said) if isinstance(classes, list) and "unnamed" in given else 0
    kept = {
        "framework": given.get("framework", "auto") in ("auto", complete.get("framework")),
        "classes": classes == said + [propose.other(number) for number in range(1, others + 1)],
        "output": given.get("output", complete.get("output")) == complete.get("output"),
        "input": _keeps(given.get("input", {}), complete.get("input")),
        "architecture": architectures.completes(given["architecture"], complete.get("architecture"))
        if "architecture" in given
        else architectures.may_be_proposed(complete.get("architecture")),
    }
    if changed := [name for name, is_kept in kept.items() if not is_kept]:
        raise InvalidChildOutput(f"the manifest's {', '.join(changed)} came back changed")


def _keeps(given: dict[str, Any], complete: Any) -> bool:
    return isinstance(complete, dict) and all(complete.get(name) == value for name, value in given.items())


def _named(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given.get(name, DEFAULTS[name]) for name in ("name", "version")}


def _listed(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
