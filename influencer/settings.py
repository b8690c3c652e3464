"""Django's settings: wiring only. What a person can change is in `config.py`."""

from __future__ import annotations

import base64
import json
import os

from influencer import config, vault

INFLUENCER = config.load()
BASE_DIR = config.PROJECT
DATA_DIR = INFLUENCER.data_dir
DEBUG = INFLUENCER.debug


def _django_key(master_key: str) -> str:
    return base64.urlsafe_b64encode(vault.derive(master_key, "django")).decode()


SECRET_KEY = _django_key(INFLUENCER.master_key)
SECRET_KEY_FALLBACKS = [_django_key(key) for key in INFLUENCER.old_master_keys]

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *INFLUENCER.allowed_hosts]
if INFLUENCER.host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
    ALLOWED_HOSTS = ["*"]  # the person asked to be reached under every address
elif INFLUENCER.host:
    ALLOWED_HOSTS.append(INFLUENCER.host)
# The public host comes to these in `web/hosts.py`: it may change while the product runs.

INSTALLED_APPS = [
    "monitoring",
    "scheduling",
    "prompts",
    "characters.publishing",
    "characters.training",
    "characters.images",
    "characters",
    "influencer.jobs",
    "influencer.web",
    "influencer",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_q",
    "template_partials",
]

MIDDLEWARE = [
    "influencer.web.middleware.PublicHostMiddleware",
    "influencer.web.middleware.SecurityHeadersMiddleware",
    "influencer.web.middleware.ApiFailureMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "influencer.web.hosts.CsrfMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "influencer.web.middleware.LoginWallMiddleware",
    "influencer.web.middleware.TimeZoneMiddleware",
    "influencer.web.middleware.ProblemMiddleware",
]

ROOT_URLCONF = "influencer.urls"
WSGI_APPLICATION = "influencer.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "influencer.web.context.frame",
            ],
            "builtins": ["influencer.web.templatetags.ui", "template_partials.templatetags.partials"],
        },
    }
]

# One database for records and queue, so that a job and its hand-over are one transaction.
# IMMEDIATE because a deferred transaction that turns into a writer fails at once.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "db.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=27103364;"
            ),
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    # Holds the counts of failed sign-ins: room enough that nobody can push another's out.
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
    "q": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": DATA_DIR / "run" / "cache-q",
    },
}

# Two clusters, started as `Q_CLUSTER_NAME=<name> manage.py qcluster`; `jobs/checks.py` guards the values.
# `retry` must outlive every task pulled ahead of a slow one:
# retry > timeout x (1 + ceil((queue_limit + bulk) / workers)).
Q_CLUSTER = {
    "name": "default",
    "orm": "default",
    "workers": 2,
    "bulk": 1,
    "queue_limit": 1,
    "poll": 0.2,
    "guard_cycle": 1,
    "timeout": 360,
    "retry": 1080,
    "ack_failures": True,
    "max_attempts": 1,
    "recycle": 500,
    "max_rss": 800_000,
    "save_limit": 100,
    "scheduler": False,
    "catch_up": False,
    "cache": "q",
    "label": "Queue",
    "ALT_CLUSTERS": {
        "default": {},
        "gpu": {"workers": 1, "timeout": 900, "retry": 3600},
    },
}
# Shorter times for drills, as a JSON object (see `jobs/pace.py`).
JOBS = json.loads(os.environ.get("INFLUENCER_JOBS") or "{}")
# The same for posts (see `characters/publishing/pace.py`).
PUBLISHING = json.loads(os.environ.get("INFLUENCER_PUBLISHING") or "{}")

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "web:login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "web:login"

# Browsers share cookies between the ports of one host: the name keeps two installations apart.
SESSION_COOKIE_NAME = f"influencer_session_{INFLUENCER.port}"
CSRF_COOKIE_NAME = f"influencer_csrf_{INFLUENCER.port}"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "influencer.web.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

DATA_UPLOAD_MAX_MEMORY_SIZE = 30 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
# More than a training takes, so that a whole folder dropped gets an answer in words.
DATA_UPLOAD_MAX_NUMBER_FILES = 1000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = INFLUENCER.time_zone

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 0 if DEBUG else 3600

SILENCED_SYSTEM_CHECKS: list[str] = []

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "no_setup_token": {"()": "influencer.web.logs.HideSetupToken"},
        "no_health": {"()": "influencer.web.logs.LeaveOutHealth"},
    },
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": INFLUENCER.log_level},
    "loggers": {
        # At DEBUG these two write tokens and signatures.
        "tweepy": {"level": "INFO"},
        "requests_oauthlib": {"level": "INFO"},
        "urllib3": {"level": "INFO"},
        "django.security.csrf": {"level": "ERROR"},
        "django.request": {"filters": ["no_setup_token", "no_health"]},
        # Three lines for every canary otherwise; a job writes its own.
        "django-q": {"level": "WARNING"},
    },
}
