"""Everything the environment decides; no other file reads it.

``docs/reference/configuration.md`` lists each variable, and a test holds the two together.
"""

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from rapport.database import address

CHECKOUT = Path(__file__).resolve().parent.parent

DEMO = os.environ.get("RAPPORT_DEMO") == "1"
"""The made-up firm: ``rapport demo`` sets this for its own processes, with a home of its own."""
DEMO_SIGN_IN: tuple[str, str] | None = ("mara@alderfinch.example", "demo-demo-demo") if DEMO else None

HOME = Path(os.environ.get("RAPPORT_HOME") or CHECKOUT / ".home").absolute()
HOME.mkdir(mode=0o700, parents=True, exist_ok=True)


def _secret_key() -> str:
    """The signing key: from the environment, else from a file in the home, made on first use."""
    given = os.environ.get("RAPPORT_SECRET_KEY")
    if given:
        return given
    path = HOME / "secret_key"
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
    return path.read_text().strip()


SECRET_KEY = _secret_key()
KEYS_FILE = Path(os.environ.get("RAPPORT_KEYS_FILE") or HOME / "keys.json")
DATABASES = {
    "default": address.settings(os.environ.get("RAPPORT_DATABASE_URL") or f"sqlite:///{HOME / 'rapport.sqlite3'}")
}
BLOBS = HOME / "blobs"

URL = os.environ.get("RAPPORT_URL") or "http://127.0.0.1:8000"
"""Where people reach the pages; links in mails and the allowed host come from it, never from a request (R46)."""
_HTTPS = URL.startswith("https://")
ALLOWED_HOSTS = sorted({urlsplit(URL).hostname or "127.0.0.1", "127.0.0.1", "localhost", "[::1]"})
CSRF_TRUSTED_ORIGINS = [URL]

DEBUG = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "axes",
    "rapport.blobs",
    "rapport.people",
    "rapport.work",
    "rapport.events",
    "rapport.audit",
    "rapport.crm",
    "rapport.mail",
    "rapport.links",
    "rapport.connect",
    "rapport.web",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "rapport.web.headers.SecurityHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "rapport.urls"
ASGI_APPLICATION = "rapport.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ],
            "builtins": ["rapport.web.templatetags.words"],
        },
    }
]

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
# A stranger who guesses is slowed down by the pair of address and network, so that nobody can lock a colleague out (R50).
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "rapport.web.signing.locked_out"

SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_NAME = "__Host-rapport" if _HTTPS else "rapport"
CSRF_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_NAME = "__Host-rapport-csrf" if _HTTPS else "rapport-csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "rapport.web.errors.not_from_here"
# Forms have to say where they come from (CSRF); a mail's own document says nothing to anybody.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

STATIC_URL = "static/"
# Straight from the packages they come in: nothing to collect, nothing to build.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"axes": {"level": "ERROR"}, "asyncio": {"level": "WARNING"}},
}
