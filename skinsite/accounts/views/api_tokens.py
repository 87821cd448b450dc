"""A person's API tokens: list, make, revoke. A secret is in one answer and never again."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from skinsite.accounts.forms.api_token import ApiTokenForm
from skinsite.accounts.models import ApiToken


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def api_tokens(request: HttpRequest) -> HttpResponse:
    """The list, and the form of a new one; the answer to a new one shows its secret."""
    form = ApiTokenForm(request.POST or None)
    secret = ""
    if form.is_valid():
        name = form.cleaned_data["name"]
        _, secret = ApiToken.objects.issue(owner=request.user, name=name, lifetime=form.lifetime)
        form = ApiTokenForm()
    tokens = ApiToken.objects.visible_to(request.user)
    context = {"form": form, "secret": secret, "tokens": tokens, "now": timezone.now()}
    return render(request, "accounts/tokens.html", context)


@require_POST
def revoke_api_token(request: HttpRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(ApiToken.objects.visible_to(request.user), pk=pk)
    ApiToken.objects.filter(pk=token.pk, revoked__isnull=True).update(revoked=timezone.now())
    messages.success(request, f"The token “{token.name}” opens nothing any more.")
    return redirect("accounts:tokens")
