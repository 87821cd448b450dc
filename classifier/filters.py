"""How a person narrows the history: the same filter for the pages, the API and the exports."""

from datetime import UTC, date, datetime, time
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from classifier.models import Case, CaseImage, ModelRecord
from classifier.services.cases.history import SORTINGS, having, in_state
from skinsite.diagnoses import DIAGNOSES

STATES = [("running", "running"), ("done", "done"), ("failed", "failed"), ("cancelled", "cancelled")]


class CaseFilter(django_filters.FilterSet):  # type: ignore[misc]  # it has no types
    """`q` looks into titles, notes and file names, and at the number; `from` and `to` are days in UTC, both inclusive.

    Give the person as `user`: models that they cannot see are no choice.
    """

    q = django_filters.CharFilter(label="Search", method="search", max_length=200)
    model = django_filters.ModelChoiceFilter(
        label="Model", method="by_model", queryset=ModelRecord.objects.none(), empty_label="any model"
    )
    diagnosis = django_filters.ChoiceFilter(label="Diagnosis", method="by_diagnosis", empty_label="any diagnosis")
    state = django_filters.ChoiceFilter(label="State", method="by_state", choices=STATES, empty_label="any state")
    sort = django_filters.ChoiceFilter(
        label="Sort",
        method="by_nothing",
        empty_label=None,
        choices=[(name, order.label) for name, order in SORTINGS.items()],
    )

    class Meta:
        model = Case
        fields: list[str] = []

    def __init__(self, data: Any = None, queryset: QuerySet[Case] | None = None, *, user: Any, **options: Any) -> None:
        super().__init__(data, Case.objects.visible_to(user) if queryset is None else queryset, **options)
        self.filters["model"].queryset = ModelRecord.objects.visible_to(user).defer("card", "report")
        self.filters["diagnosis"].extra["choices"] = diagnosis_choices(user)

    @classmethod
    def get_filters(cls) -> Any:
        """`from` is a word of Python, so that these two cannot be attributes."""
        day = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        options: dict[str, Any] = {"widget": day, "input_formats": ["%Y-%m-%d"]}
        return super().get_filters() | {
            "from": django_filters.DateFilter(label="From", method="since", **options),
            "to": django_filters.DateFilter(label="To", method="until", **options),
        }

    @property
    def sorting(self) -> str:
        """The name of the order that was asked for."""
        return self.form.cleaned_data.get("sort") or "newest" if self.form.is_valid() else "newest"

    @property
    def narrows(self) -> bool:
        """Whether anything but the order was asked for."""
        return any(value for name, value in self.form.cleaned_data.items() if name != "sort")

    def search(self, cases: QuerySet[Case], name: str, words: str) -> QuerySet[Case]:
        named = CaseImage.objects.filter(name__icontains=words).values("case")
        found = Q(title__icontains=words) | Q(note__icontains=words) | Q(pk__in=named)
        if words.isascii() and words.isdigit() and len(words) <= 18:
            found |= Q(pk=int(words))
        return cases.filter(found)

    def by_model(self, cases: QuerySet[Case], name: str, model: ModelRecord) -> QuerySet[Case]:
        return cases.filter(having(model=model))

    def by_diagnosis(self, cases: QuerySet[Case], name: str, code: str) -> QuerySet[Case]:
        """Predicted by any model, or the reference."""
        return cases.filter(having(top_code=code) | Q(reference=code))

    def by_state(self, cases: QuerySet[Case], name: str, state: str) -> QuerySet[Case]:
        return cases.filter(in_state(state))

    def since(self, cases: QuerySet[Case], name: str, day: date) -> QuerySet[Case]:
        return cases.filter(created__gte=datetime.combine(day, time.min, UTC))

    def until(self, cases: QuerySet[Case], name: str, day: date) -> QuerySet[Case]:
        return cases.filter(created__lte=datetime.combine(day, time.max, UTC))

    def by_nothing(self, cases: QuerySet[Case], name: str, value: str) -> QuerySet[Case]:
        """The order is for whoever makes the page."""
        return cases


def diagnosis_choices(user: Any) -> list[tuple[str, str]]:
    """The classes of the table, and those of the models that this person may see."""
    names = {code: diagnosis.name for code, diagnosis in DIAGNOSES.items()}
    for model in ModelRecord.objects.visible_to(user).only("manifest"):
        for code, name in model.class_names.items():
            names.setdefault(code, name)
    return sorted(names.items(), key=lambda choice: choice[1].lower())
