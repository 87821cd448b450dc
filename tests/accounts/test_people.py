"""Signing up, logging in, tokens and invitations."""

import re

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client

from skinsite.accounts.models import ApiToken, Invitation, User
from tests.factories.rows import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "a long and quiet evening"


def sign_up(client: Client, username: str = "dora", email: str = "dora@example.org"):
    form = {"username": username, "email": email, "password1": PASSWORD, "password2": PASSWORD}
    return client.post("/accounts/signup/", form)


def log_in(client: Client, password: str = PASSWORD):
    return client.post("/accounts/login/", {"login": "alice", "password": password})


@pytest.fixture
def alice():
    user = make_user("alice")
    user.set_password(PASSWORD)
    user.save()
    return user


def test_anybody_signs_up_where_it_is_open(client, settings):
    settings.SKINSITE_SIGNUP = "open"
    assert sign_up(client).status_code == 302
    person = User.objects.get(username="dora")
    assert not person.is_staff
    assert client.get("/cases/").status_code == 200


@pytest.mark.parametrize("mode", ["closed", "invite"])
def test_nobody_signs_up_without_being_asked(client, settings, mode):
    settings.SKINSITE_SIGNUP = mode
    assert "Sign-up is closed" in client.get("/accounts/signup/").content.decode()
    sign_up(client)
    assert not User.objects.exists()


def invite(administrator: Client, email: str = "") -> str:
    page = administrator.post("/accounts/invitations/", {"email": email}).content.decode()
    return re.search(r"http://testserver(/accounts/invitation/[^/]+/)", page)[1]


def test_an_invitation_works_once(client, administrator, settings):
    settings.SKINSITE_SIGNUP = "invite"
    link = invite(administrator)
    assert client.get(link)["Location"] == "/accounts/signup/"
    sign_up(client)
    assert Invitation.objects.get().used_by.username == "dora"
    other = Client()
    assert other.get(link).status_code == 404
    sign_up(other, "eve", "eve@example.org")
    assert not User.objects.filter(username="eve").exists()


def test_an_invitation_for_an_address_is_for_nobody_else(client, administrator, settings):
    settings.SKINSITE_SIGNUP = "invite"
    client.get(invite(administrator, "frida@example.org"))
    assert "another address" in sign_up(client).content.decode()
    sign_up(client, "frida", "frida@example.org")
    assert User.objects.filter(username="frida").exists()


def test_only_administrators_invite(alice, client):
    client.force_login(alice)
    assert client.get("/accounts/invitations/").status_code == 403


def test_a_person_logs_in_and_out(alice, client):
    assert log_in(client)["Location"] == "/"
    client.post("/accounts/logout/")
    assert client.get("/cases/").status_code == 302


def test_guessing_passwords_is_limited(alice, client):
    for _ in range(6):
        log_in(client, "wrong")
    answer = log_in(client)
    assert "Too many failed login attempts" in answer.content.decode()
    assert client.get("/cases/").status_code == 302


def test_the_admin_has_no_log_in_of_its_own(client):
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/")
    answer = client.post("/admin/login/", {"username": "root", "password": "x"})
    assert answer["Location"].startswith("/accounts/login/")


def test_a_forgotten_password_is_reset_by_mail(alice, client):
    client.post("/accounts/password/reset/", {"email": alice.email})
    link = re.search(r"http://\S+(/accounts/password/reset/key/\S+)", mail.outbox[0].body)[1]
    page = client.get(link, follow=True)
    client.post(page.request["PATH_INFO"], {"password1": "another quiet evening", "password2": "another quiet evening"})
    assert log_in(client, "another quiet evening").status_code == 302


def test_a_secret_is_shown_once_and_can_be_revoked(alice, client):
    client.force_login(alice)
    page = client.post("/accounts/tokens/", {"name": "notebook", "days": 30}).content.decode()
    secret = re.search(r"<code>(\S+)</code>", page)[1]
    assert ApiToken.objects.owner_of(secret) == alice
    assert secret not in client.get("/accounts/tokens/").content.decode()
    client.post(f"/accounts/tokens/{ApiToken.objects.get().pk}/revoke/")
    assert ApiToken.objects.owner_of(secret) is None


def test_somebody_elses_token_cannot_be_revoked(alice, client):
    token, _ = ApiToken.objects.issue(owner=make_user("charlie"), name="his")
    client.force_login(alice)
    assert client.post(f"/accounts/tokens/{token.pk}/revoke/").status_code == 404


def test_demo_accounts_are_made_once_and_kept_privately(settings, tmp_path, capsys):
    settings.SKINSITE_DATA = tmp_path
    call_command("demo_accounts")
    lines = (tmp_path / "demo-accounts.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["researcher", "admin"]
    assert (tmp_path / "demo-accounts.txt").stat().st_mode & 0o777 == 0o600
    for line in lines:
        username, password, secret = line.split()
        person = User.objects.get(username=username)
        assert person.check_password(password)
        assert ApiToken.objects.owner_of(secret) == person
        assert person.is_staff == (username == "admin")
    call_command("demo_accounts")
    assert (tmp_path / "demo-accounts.txt").read_text().splitlines() == lines


@pytest.mark.parametrize("path", ["login", "signup", "password/reset"])
def test_pages_about_people_look_like_the_others(client, path):
    page = client.get(f"/accounts/{path}/").content.decode()
    assert 'class="site-footer"' in page
    assert "Research and teaching" in page
