"""`python -m bench.inhabited`: make the portal of `SKINSITE_DATA` one that has been in use for years.

100,000 cases and an evaluation of 10,015 images belong to `researcher`, and thirty more people have an account.
The last line on stdout is JSON: `{"tokens": [API token of each person], "evaluation": address of its page}`.
"""

import json
import os
from typing import Any

CASES = 100_000
IMAGES = 10_015
PEOPLE = 30


def main() -> dict[str, Any]:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skinsite.settings")
    django.setup()
    from django.utils import timezone

    from bench.history import fill
    from classifier.models import ModelRecord, Prediction
    from skinsite.accounts.models import ApiToken
    from skinsite.jobs import State
    from tests.factories import SEVEN, make_user
    from tests.factories.data_sets import make_data_set
    from tests.factories.evaluations import scored_evaluation

    researcher, models = make_user("researcher"), list(ModelRecord.objects.ready())
    fill(CASES, researcher, models)
    made_up = Prediction.objects.filter(state=State.QUEUED, image__pixels="p")
    made_up.update(state=State.CANCELLED, finished_at=timezone.now())
    labels = [SEVEN[place % len(SEVEN)] for place in range(IMAGES)]
    seven = next(model for model in models if len(model.classes) == len(SEVEN))
    evaluation = scored_evaluation(make_data_set(labels, owner=researcher, name="Ten thousand"), seven)
    people = [make_user(f"person-{number}") for number in range(PEOPLE)]
    tokens = [ApiToken.objects.issue(owner=person, name="bench")[1] for person in people]
    return {"tokens": tokens, "evaluation": evaluation.get_absolute_url()}


if __name__ == "__main__":
    print(json.dumps(main()))
