"""One settings file, configured by the environment. The variables are described in docs/settings.md."""

import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

os.umask(0o077)  # what a process of the portal writes is for its own account
BASE_DIR = Path(__file__).resolve().parent.parent
SKINSITE_DATA = Path(os.environ.get("SKINSITE_DATA", BASE_DIR / "data")).resolve()
SKINSITE_DATA.mkdir(parents=True, exist_ok=True, mode=0o700)
UNIX_SOCKET_BYTES = 100


def _secret_key() -> str:
    """The key from the environment, or one made at the first start and kept in SKINSITE_DATA."""
    if key := os.environ.get("SKINSITE_SECRET_KEY"):
        return key
    path = SKINSITE_DATA / "secret-key"
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text()


def _broker_socket() -> Path:
    """Inside SKINSITE_DATA, or under a hashed name in the temporary folder where that path is too long for a socket."""
    path = SKINSITE_DATA / "run" / "broker.sock"
    if len(os.fsencode(path)) <= UNIX_SOCKET_BYTES:
        return path
    return Path(tempfile.gettempdir(), f"skinsite-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.sock")


PORT = int(os.environ.get("PORT", "8000"))
DEBUG = os.environ.get("SKINSITE_DEBUG") == "1"
SECRET_KEY = _secret_key()
ALLOWED_HOSTS = os.environ.get("SKINSITE_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
SKINSITE_ORIGIN = os.environ.get("SKINSITE_ORIGIN", "")
CSRF_TRUSTED_ORIGINS = [SKINSITE_ORIGIN] if SKINSITE_ORIGIN else []
HTTPS = SKINSITE_ORIGIN.startswith("https://")

SKINSITE_SIGNUP = os.environ.get("SKINSITE_SIGNUP", "open")
if SKINSITE_SIGNUP not in ("open", "invite", "closed"):
    raise ImproperlyConfigured(f"SKINSITE_SIGNUP is {SKINSITE_SIGNUP!r}; it must be open, invite or closed.")
SKINSITE_DEVICE = os.environ.get("SKINSITE_DEVICE", "cpu")
if SKINSITE_DEVICE not in ("cpu", "cuda"):
    raise ImproperlyConfigured(f"SKINSITE_DEVICE is {SKINSITE_DEVICE!r}; it must be cpu or cuda.")
SKINSITE_UNCONFINED_ADMISSION = os.environ.get("SKINSITE_UNCONFINED_ADMISSION") == "1"
ADMISSION_SECONDS = float(os.environ.get("SKINSITE_ADMISSION_SECONDS", "60"))
ADMISSION_BYTES = int(os.environ.get("SKINSITE_ADMISSION_MB", "2048")) * 1024**2
SKINSITE_BIND = os.environ.get("SKINSITE_BIND", "127.0.0.1")
SKINSITE_DEMO = SKINSITE_BIND == "127.0.0.1" and os.environ.get("SKINSITE_DEMO", "1") == "1"
SKINSITE_PHANTOMS = SKINSITE_DEMO and os.environ.get("SKINSITE_PHANTOMS", "1") == "1"
SKINSITE_MAP_CHECKS = os.environ.get("SKINSITE_MAP_CHECKS", "1") == "1"

# Limits, as in the contract.
IMAGES_A_CASE = 50
MODELS_A_CASE = 10
QUEUED_PREDICTIONS_A_USER = 2000
MODEL_FILE_BYTES = 2 * 1024**3
REQUESTS_A_SECOND = 50
ARCHIVE_BYTES = 8 * 1000**3
ARCHIVE_MEMBERS = 100_000
TABLE_BYTES = 100 * 1000**2
WAITING_EVALUATIONS_A_USER = 3
OPEN_MAP_CHECKS_A_USER = 3
MODELS_A_COMPARISON = 10
SKINSITE_ISIC_API = os.environ.get("SKINSITE_ISIC_API", "https://api.isic-archive.com/api/v2")
SKINSITE_ISIC_HOSTS = os.environ.get("SKINSITE_ISIC_HOSTS", "content.isic-archive.com").split(",")
WORKER_BYTES = int(os.environ.get("SKINSITE_WORKER_MB", "8000")) * 1024**2
CLASSIFIER_CACHE_BYTES = int(os.environ.get("SKINSITE_CACHE_MB", "2000")) * 1024**2

INSTALLED_APPS = [
    "skinsite.accounts",
    "classifier",
    "evaluation",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "csp",
    "django_filters",
    "django_htmx",
    "ninja",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "skinsite.urls"
WSGI_APPLICATION = "skinsite.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["skinsite.disclaimer"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASES = {"default": dj_database_url.parse(os.environ.get("DATABASE_URL", f"sqlite:///{SKINSITE_DATA}/db.sqlite3"))}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-4000;",
    }
    DATABASES["default"]["TEST"] = {"NAME": SKINSITE_DATA / "test.sqlite3"}
DATABASES["default"]["CONN_MAX_AGE"] = 60  # SQLite too: whoever closes its last connection writes the whole log back
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SKINSITE_STORAGE = os.environ.get("SKINSITE_STORAGE", "")
MEDIA_ROOT = SKINSITE_DATA / "media"
MEDIA_URL = ""
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if SKINSITE_STORAGE:
    _bucket = urlparse(SKINSITE_STORAGE)
    if _bucket.scheme != "s3":
        raise ImproperlyConfigured(f"SKINSITE_STORAGE is {SKINSITE_STORAGE!r}; it must be s3://BUCKET/PREFIX or empty.")
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {"bucket_name": _bucket.netloc, "location": _bucket.path.strip("/"), "default_acl": "private"},
    }
FILE_UPLOAD_TEMP_DIR = SKINSITE_DATA / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(exist_ok=True, mode=0o700)
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_NUMBER_FILES = 500

STATIC_URL = "static/"
STATIC_ROOT = SKINSITE_DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT.mkdir(exist_ok=True)

# One web process with threads: its own memory holds the log-in and request counters exactly.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

BROKER_SOCKET = _broker_socket()
BROKER_URL = os.environ.get("REDIS_URL") or f"redis+socket://{BROKER_SOCKET}"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "skinsite.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_RATE_LIMITS = {"login_failed": "10/5m/ip,5/5m/key", "signup": "20/h/ip", "reset_password": "20/h/ip,5/h/key"}
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
if _mail := os.environ.get("SKINSITE_SMTP"):
    _server = urlparse(_mail)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _server.hostname, _server.port or 587
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _server.username or "", _server.password or ""
    EMAIL_USE_TLS = _server.scheme == "smtps"
DEFAULT_FROM_EMAIL = os.environ.get("SKINSITE_MAIL_FROM", "skinsite@localhost")

SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("SKINSITE_LOG", "INFO")},
    "loggers": {"fontTools": {"level": "WARNING"}, "matplotlib": {"level": "WARNING"}},
}
