"""Cancel, retry, explanations and pictures."""

import numpy as np
import pytest

from classifier.models import Explanation, Prediction
from tests.api.test_cases import problem
from tests.factories.rows import SEVEN


def finish(row: Prediction, values=None) -> None:
    token = Prediction.objects.claim(row.pk, in_hand=True)
    shares = {code: (0.4 if code == "mel" else 0.1) for code in SEVEN}
    result = {"probabilities": shares, "top_code": "mel", "top_probability": 0.4}
    Prediction.objects.finish(row.pk, token, load_ms=0.0, predict_ms=9.0, explain_ms=1.0, **result)
    if values is None:
        Explanation.objects.create(prediction=row, error={"code": "no-spatial-layer", "message": "No layer."})
    else:
        fields = {"layer": "last", "rows": 2, "columns": 3, "region": [0, 0, 320, 240]}
        Explanation.objects.create(prediction=row, maps=values.astype("<f4").tobytes(), **fields)


def test_a_queued_prediction_can_be_cancelled_and_tried_again(alice, case):
    row = Prediction.objects.get()
    assert alice.call("POST", f"/predictions/{row.pk}/cancel").json()["state"] == "cancelled"
    problem(alice.call("POST", f"/predictions/{row.pk}/cancel"), 409)
    answer = alice.call("POST", f"/predictions/{row.pk}/retry")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    problem(alice.call("POST", f"/predictions/{row.pk}/retry"), 409)


def test_maps_are_split_into_what_raises_and_what_lowers(alice, case):
    row = Prediction.objects.get()
    signed = np.random.default_rng(0).normal(size=(7, 2, 3)).astype("<f4")
    finish(row, signed)
    found = alice.call("GET", f"/predictions/{row.pk}/explanations").json()
    assert (found["layer"], found["rows"], found["columns"]) == ("last", 2, 3)
    assert set(found["maps"]) == set(SEVEN)
    difference = np.array(found["maps"]["mel"]) - np.array(found["lowers"]["mel"])
    assert np.allclose(difference, signed[SEVEN.index("mel")], atol=1e-7)
    assert min(min(line) for line in found["maps"]["nv"]) >= 0


def test_a_prediction_without_maps_says_why(alice, case):
    row = Prediction.objects.get()
    problem(alice.call("GET", f"/predictions/{row.pk}/explanations"), 409)
    finish(row)
    assert "no-spatial-layer" in problem(alice.call("GET", f"/predictions/{row.pk}/explanations"), 422)["detail"]
    shown = alice.call("GET", f"/cases/{case.pk}").json()["images"][0]["predictions"][0]
    assert shown["explanation"]["error"]["code"] == "no-spatial-layer"
    assert shown["explanation"]["url"] is None


def test_an_unknown_method_names_the_known_ones(alice, case):
    row = Prediction.objects.get()
    finish(row, np.zeros((7, 2, 3)))
    answer = alice.call("GET", f"/predictions/{row.pk}/explanations", {"method": "tea-leaves"})
    assert "grad-cam" in problem(answer, 422)["detail"]


def test_pictures_come_by_token_or_session(alice, case, client):
    row = Prediction.objects.get()
    finish(row, np.ones((7, 2, 3)))
    paths = [f"/api/v1/predictions/{row.pk}/heat.png?class=nv", f"/api/v1/images/{row.image_id}/pixels.png"]
    for path in paths:
        assert client.get(path).status_code == 401
        assert alice.program.get(path)["Content-Type"] == "image/png"
    client.force_login(case.owner)
    for path in paths:
        assert client.get(path)["Content-Type"] == "image/png"


def test_the_prediction_is_the_contracts(alice, case):
    row = Prediction.objects.get()
    finish(row, np.ones((7, 2, 3)))
    shown = alice.call("GET", f"/cases/{case.pk}").json()["images"][0]["predictions"][0]
    assert shown["top"] == {"code": "mel", "name": "Melanoma", "probability": 0.4}
    assert sum(shown["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert set(shown["timings_ms"]) == {"queued", "load", "predict", "explain"}
    assert (shown["state"], shown["attempts"], shown["error"], shown["engine"]) == ("done", 1, None, "native")
    assert shown["explanation"]["url"].startswith("/api/v1/")
