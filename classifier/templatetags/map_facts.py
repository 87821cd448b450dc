"""`{% map_facts answer as known %}` gives what is known about the map of an answer."""

from django import template

from classifier.services.cases.prediction_panel import Answer
from classifier.services.maps.checks import facts_of, in_short

register = template.Library()


@register.simple_tag(takes_context=True)
def map_facts(context: template.Context, answer: Answer) -> dict[str, object] | None:
    """Return the checks that were made, the names of the others, and how many passed; None where there is no map."""
    if answer.maps is None:
        return None
    request = context["request"]
    facts = facts_of(
        request,
        prediction=answer.prediction,
        maps=answer.maps,
        method=answer.view.explanation_method,
        person=request.user,
    )
    made = [fact for fact in facts if fact.passed is not None]
    return {"made": made, "open": [fact.check for fact in facts if fact.passed is None], "in_short": in_short(facts)}
