"""The JSON shapes of what each child may answer."""

from typing import Any

from classifier.admission.child_output import REPORT
from classifier.inference.maps import layouts
from skinsite.sandbox.ask import TEXT

FRAMEWORK: dict[str, Any] = {"enum": ["keras", "torch"]}
COUNT = {"type": "integer", "minimum": 0, "maximum": 10**11}
SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
ROW = {"type": "array", "minItems": 2, "maxItems": 1000, "items": {"type": "number"}}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None, *, closed: bool = True) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "additionalProperties": not closed,
        "properties": required | (optional or {}),
    }


CONVERTED = _object(
    {
        "report": REPORT,
        "framework": FRAMEWORK,
        "architecture": TEXT,
        "parameters": COUNT,
        "inferred": {"type": "object"},
        "outputs": {"type": "array", "minItems": 2, "maxItems": 20, "items": ROW},
    }
)
MILLISECONDS = {"type": "number", "minimum": 0, "maximum": 10**7}
SHARE = {"type": "number", "minimum": 0, "maximum": 1.0001}
MOVEMENT = _object({"what": TEXT, "largest": SHARE, "changed": COUNT, "pictures": COUNT})
MEASURED = _object(
    {"predict_ms": MILLISECONDS, "load_ms": MILLISECONDS, "process_bytes": COUNT, "predict_bytes": COUNT},
    {
        "plumbing": {"type": "array", "maxItems": 10, "items": MOVEMENT},
        "unnamed": _object({"outputs": COUNT, "mean": SHARE, "largest": SHARE}),
    },
)
VALUE = {"type": "string", "minLength": 1, "maxLength": 1000}
PLACES: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 10_000}
KIND: dict[str, Any] = {"enum": list(layouts.KINDS)}
LAYOUT = _object({"kind": KIND, "rows": PLACES, "columns": PLACES, "prefix": PLACES})
ORDER = {"type": "array", "minItems": 3, "maxItems": 4, "uniqueItems": True, "items": {"enum": [0, 1, 2, 3]}}
FEATURE_LAYER = _object({"value": VALUE, "order": ORDER, "layout": LAYOUT})
GRAPH = _object(
    {
        "cut": {"anyOf": [FEATURE_LAYER, {"type": "null"}]},
        "differs": SHARE,
        "maps_differ": {"type": "number", "minimum": 0},
        "native_ms": MILLISECONDS,
        "engine_ms": MILLISECONDS,
    }
)
PROBED = _object({"report": REPORT, "layer": TEXT, "measured": MEASURED})
OFFERED = _object({"report": REPORT, "graph": {"anyOf": [GRAPH, {"type": "null"}]}})
DESCRIPTION = _object(
    {
        "format": {"type": "integer"},
        "framework": FRAMEWORK,
        "manifest": {"type": "object"},
        "network": {"type": "object"},
        "layer": {"anyOf": [TEXT, {"type": "null"}]},
        "weights": _object({"file": {"type": "string"}, "sha256": SHA256, "bytes": COUNT}),
    }
)
