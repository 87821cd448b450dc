"""The shown map to take away: as a picture with its legend, and as numbers."""

from collections.abc import Iterable, Iterator
from typing import Any

from classifier.inference.input.preprocess import Region
from classifier.inference.maps import picture, render
from classifier.models import Prediction
from classifier.services.maps.view import Maps, View, maps_of, scale_end, sided, words
from classifier.services.predictions.predict import pixels_of
from skinsite.disclaimer import DISCLAIMER

OPACITY = 0.6
COLUMNS = (
    *("case", "image", "model", "version", "method", "layer", "class", "against", "row", "column"),
    *("left", "top", "right", "bottom", "value", "disclaimer"),
)


def map_png(prediction: Prediction, view: View) -> bytes | None:
    """Return picture and map in one, with legend, or None if there is no such map. Raises Refusal."""
    maps, code = maps_of(prediction, view), view.code or prediction.top_code
    if maps is None:
        return None
    image, model, end = prediction.image, prediction.model, scale_end(maps, view, code)
    region: Region = tuple(maps.explanation.region or ())
    layer = render.layer(
        sided(maps.map(code), view.side),
        region,
        image.width,
        image.height,
        end,
        picture.SIDE,
        native=view.grid == "native",
    )
    shown = maps.explanation
    lines = [
        words(prediction, view, maps.peak(code, view.side)),
        f"{view.scale} scale{', in units of the logit' if view.explanation_method.linear else ''} · "
        f"layer {shown.layer}, {shown.rows} by {shown.columns} places",
        f"{image.name} · {model.name} v{model.version}, sha256 {model.sha256[:8]}",
        DISCLAIMER,
    ]
    return picture.compose(pixels_of(image), layer, OPACITY, lines, ("0", f"{end:.3g}"))


def map_table(prediction: Prediction, view: View) -> Iterator[Iterable[Any]] | None:
    """Return a header and a row for each place of the signed map, both sides, or None. Raises Refusal."""
    maps = maps_of(prediction, view)
    return None if maps is None else _rows(prediction, view, maps)


def _rows(prediction: Prediction, view: View, maps: Maps) -> Iterator[Iterable[Any]]:
    yield COLUMNS
    image, model, shown = prediction.image, prediction.model, maps.explanation
    code = view.code or prediction.top_code
    values = maps.map(code)
    left, top, right, bottom = shown.region or (0, 0, image.width, image.height)
    across, down = (right - left) / shown.columns, (bottom - top) / shown.rows
    fixed = (image.case_id, image.name, model.name, model.version, view.method, shown.layer, code, view.against)
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            place = (left + column * across, top + row * down, left + (column + 1) * across, top + (row + 1) * down)
            yield (*fixed, row, column, *(round(edge, 2) for edge in place), float(f"{value:.8g}"), DISCLAIMER)
