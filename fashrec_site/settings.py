"""Settings, all from the environment; `.env.example` lists the variables.

FASHREC_ENV=production refuses to start without its own SECRET_KEY, ALLOWED_HOSTS, DATABASE_URL
and REDIS_URL. Anything else is development: embedded servers and a generated key.
"""

from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured
from limits import parse as parse_rate

from fashrec_site.access.content_policy import OWN_FILES_ONLY
from fashrec_site.home import fashrec_home, generated_secret_key, make_home
from fashrec_site.statement_timeout import limit_statements
from fashrec_site.workplace.theme import UNFOLD  # noqa: F401 - a setting

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if (BASE_DIR / ".env").exists():
    env.read_env(BASE_DIR / ".env")  # variables that are set already win


def rate_limit(configured: str, default: str) -> str:
    """A rate such as 600/minute; empty where it is "off"."""
    rate = configured or default
    if rate == "off":
        return ""
    try:
        parse_rate(rate)
    except ValueError as error:
        raise ImproperlyConfigured(
            f'A rate limit must be like 600/minute, or off; got "{rate}".'
        ) from error
    return rate


FASHREC_HOME = make_home(fashrec_home())
PRODUCTION = env.str("FASHREC_ENV", default="development") == "production"
DEBUG = env.bool("DEBUG", default=False)

if PRODUCTION:
    missing = [
        name
        for name in ("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL")
        if not env.str(name, default="")
    ]
    if missing:
        raise ImproperlyConfigured(
            f"FASHREC_ENV=production needs {', '.join(missing)} (see .env.example)."
        )
    if DEBUG:
        raise ImproperlyConfigured("FASHREC_ENV=production refuses DEBUG=1; unset DEBUG.")

SECRET_KEY = env.str("SECRET_KEY", default="") or generated_secret_key(FASHREC_HOME)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # it and its parts come before what they restyle
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "fashrec_site.workplace.apps.WorkplaceConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "strawberry_django",
    "axes",
    "csp",
    "django_htmx",
    "import_export",
    "simple_history",
    "catalog",
    "shoppers",
    "embeddings",
    "recommender",
    "fashrec_site",
]

MIDDLEWARE = [
    "fashrec_site.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",  # who is asking, for the audit
    "fashrec_site.statement_timeout.StatementTimeoutMiddleware",
    "axes.middleware.AxesMiddleware",  # must be the last of Django's: it answers locked-out logins
]

ROOT_URLCONF = "fashrec_site.urls"
WSGI_APPLICATION = "fashrec_site.wsgi.application"

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
                "fashrec_site.storefront.visitor.storefront",
            ],
        },
    },
]

if env.str("DATABASE_URL", default=""):
    DATABASES = {"default": env.db("DATABASE_URL")}
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)  # seconds
else:
    DATABASES = {"default": {"ENGINE": "fashrec_site.embedded.postgresql", "NAME": "fashrec"}}
# Only catalog.database.fetch_prepared prepares: Django's own cursors send values in the text. A
# pooler that gives a connection to others between statements must know of them (pgbouncer 1.21).
PREPARED_STATEMENTS = (
    {"prepare_threshold": 5, "options": "-c plan_cache_mode=force_generic_plan"}
    if env.bool("DATABASE_PREPARED_STATEMENTS", default=True)
    else {}
)
DATABASES["default"]["OPTIONS"] = PREPARED_STATEMENTS | DATABASES["default"].get("OPTIONS", {})
# gunicorn.conf.py sets it: a statement of a request that takes longer is cancelled, and answered
# with TIMEOUT. Commands and workers may take their time.
STATEMENT_TIMEOUT_SECONDS = env.float("DATABASE_STATEMENT_TIMEOUT_SECONDS", default=0.0)
if STATEMENT_TIMEOUT_SECONDS < 0:
    raise ImproperlyConfigured("DATABASE_STATEMENT_TIMEOUT_SECONDS must be 0 (none) or more.")
if STATEMENT_TIMEOUT_SECONDS:
    limit_statements(DATABASES["default"], STATEMENT_TIMEOUT_SECONDS)
# gunicorn.conf.py turns the pool on; commands and workers live too shortly or fork too early.
if env.bool("DATABASE_POOL", default=False):
    # As many as gunicorn's threads, and an error soon when the database is down.
    pool = {"min_size": 1, "max_size": 4, "timeout": 5}
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = pool
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# Read replicas (fashrec_site.replicas) and how old what is read there may be.
DATABASE_REPLICA_URLS = env.list("DATABASE_REPLICA_URLS", default=[])
DATABASE_REPLICA_MAX_LAG_SECONDS = env.float("DATABASE_REPLICA_MAX_LAG_SECONDS", default=5.0)
if DATABASE_REPLICA_URLS:
    if not env.str("DATABASE_URL", default=""):
        raise ImproperlyConfigured("DATABASE_REPLICA_URLS needs DATABASE_URL, their primary.")
    if DATABASE_REPLICA_MAX_LAG_SECONDS <= 0:
        raise ImproperlyConfigured("DATABASE_REPLICA_MAX_LAG_SECONDS must be positive.")
    DATABASE_ROUTERS = ["fashrec_site.replicas.router.ReplicaRouter"]
    MIDDLEWARE.append("fashrec_site.replicas.middleware.ReplicaMiddleware")
for number, url in enumerate(DATABASE_REPLICA_URLS, start=1):
    # A connection per thread instead of a pool, which would let requests wait for a dead replica.
    replica = env.db_url_config(url)
    DATABASES[f"replica_{number}"] = replica | {
        "CONN_MAX_AGE": None if env.bool("DATABASE_POOL", default=False) else 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 2} | PREPARED_STATEMENTS | replica.get("OPTIONS", {}),
        "TEST": {"MIRROR": "default"},
    }

REDIS_URL = env.str("REDIS_URL", default="")  # empty: the embedded one (fashrec_site.celery)

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it refuses who is locked out
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
# By both: else one bad neighbour locks a whole office out, or anybody locks any shopper out.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True  # who logged in when is personal, and nobody asked for it
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "fashrec_site.access.addresses.client_address"

# Networks of proxies whose X-Forwarded-For is believed; without any, no header names an address.
FASHREC_TRUSTED_PROXIES = env.list("FASHREC_TRUSTED_PROXIES", default=[])
for network in FASHREC_TRUSTED_PROXIES:
    try:
        ip_network(network)
    except ValueError as error:
        raise ImproperlyConfigured(f"FASHREC_TRUSTED_PROXIES: {error}.") from error
# Requests to the API, per address and per key ("off": no limit); wrong logins count in axes, too.
FASHREC_RATE_LIMIT = rate_limit(env.str("FASHREC_RATE_LIMIT", default=""), "600/minute")
FASHREC_RATE_LIMIT_PER_KEY = rate_limit(
    env.str("FASHREC_RATE_LIMIT_PER_KEY", default=""), "6000/minute"
)
FASHREC_LOGIN_RATE_LIMIT = rate_limit(env.str("FASHREC_LOGIN_RATE_LIMIT", default=""), "30/minute")
FASHREC_SIGNUP_RATE_LIMIT = rate_limit(env.str("FASHREC_SIGNUP_RATE_LIMIT", default=""), "20/hour")
# Lets webhooks go to private addresses, where whoever edits endpoints may look around the network.
FASHREC_WEBHOOKS_ALLOW_PRIVATE = env.bool("FASHREC_WEBHOOKS_ALLOW_PRIVATE", default=False)
# Introspection and GraphiQL for everybody; in production for staff and keys only.
FASHREC_PUBLIC_SCHEMA = not PRODUCTION

LANGUAGE_CODE = "en"
TIME_ZONE = env.str("FASHREC_TIME_ZONE", default="") or "UTC"
try:
    ZoneInfo(TIME_ZONE)
except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # no name, a path, a folder
    raise ImproperlyConfigured(
        f'FASHREC_TIME_ZONE must be an IANA name such as Europe/Vienna; got "{TIME_ZONE}".'
    ) from error
USE_I18N = False
USE_TZ = True
FORMAT_MODULE_PATH = ["fashrec_site.formats"]  # DATE_FORMAT alone would lose to Django's English

STATIC_URL = "/static/"
# In development WhiteNoise serves from the apps' own folders; nothing is collected.
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")) if PRODUCTION else None
STATICFILES_DIRS = [BASE_DIR / "fashrec_site" / "static"]
WHITENOISE_USE_FINDERS = not PRODUCTION
MEDIA_URL = "/media/"
MEDIA_ROOT = FASHREC_HOME / "media"
PRIVATE_ROOT = FASHREC_HOME / "private"  # no URL leads there; web and workers share it
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

FASHREC_CURRENCY = env.str("FASHREC_CURRENCY", default="") or "EUR"
if not (len(FASHREC_CURRENCY) == 3 and FASHREC_CURRENCY.isascii() and FASHREC_CURRENCY.isupper()):
    raise ImproperlyConfigured(
        f'FASHREC_CURRENCY must be an ISO 4217 code such as EUR; got "{FASHREC_CURRENCY}".'
    )

# The demo shows everybody its simulated shoppers; a real shop shows them to staff only.
FASHREC_DEMO = env.bool("FASHREC_DEMO", default=False) and not PRODUCTION

FASHREC_WEIGHTS_DIR = (
    Path(env.str("FASHREC_WEIGHTS_DIR")).expanduser().resolve()
    if env.str("FASHREC_WEIGHTS_DIR", default="")
    else None
)
# One of embeddings.nets.runtimes.RUNTIMES instead of the fastest that is faithful.
FASHREC_EMBEDDING_RUNTIME = env.str("FASHREC_EMBEDDING_RUNTIME", default="")
# A JSON file of every colour in the segmentation maps, {"hair": [255, 0, 0], ...}; see
# embeddings.masks for what happens without it.
FASHREC_SEGMENTATION_PALETTE = (
    Path(env.str("FASHREC_SEGMENTATION_PALETTE")).expanduser().resolve()
    if env.str("FASHREC_SEGMENTATION_PALETTE", default="")
    else None
)
# How garments are found in photos without a map, in the order tried; see embeddings.mask_settings.
FASHREC_MASKS = env.list("FASHREC_MASKS", default=[])
# 1 embeds each garment of a parsed photo, and compares a product by the one of its category.
FASHREC_GARMENTS = env.bool("FASHREC_GARMENTS", default=False)
# A SegFormer that was trained on clothes: its folder, or its name for transformers.
FASHREC_SEGFORMER = env.str("FASHREC_SEGFORMER", default="")

IMPORT_EXPORT_ESCAPE_ILLEGAL_CHARS_ON_EXPORT = True  # XLSX knows no control characters

CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TRACK_STARTED = False
CELERY_TASK_PUBLISH_RETRY = False  # a publish that fails is found again by beat; never block
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker outlives any outage of Redis
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,  # seconds; longer than any batch takes
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}
CELERY_TASK_ROUTES = {
    f"embeddings.photo_search.tasks.{name}": {"queue": "photo_search"}
    for name in ("search_by_photo", "load_backbone")
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(FASHREC_HOME / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "embed-missing-images": {"task": "embeddings.tasks.enqueue_missing", "schedule": 60.0},
    "find-duplicates": {"task": "embeddings.duplicates.tasks.find_duplicates", "schedule": 600.0},
    "forget-photos": {
        "task": "embeddings.photo_search.tasks.forget_expired_photos",
        "schedule": 300.0,
    },
    "keep-recommendation-log": {
        "task": "recommender.tasks.keep_recommendation_log",
        "schedule": 3600.0,
    },
    "send-webhooks": {"task": "fashrec_site.tasks.enqueue_webhooks", "schedule": 15.0},
    "run-evaluations": {"task": "fashrec_site.tasks.enqueue_evaluations", "schedule": 60.0},
    "run-product-jobs": {"task": "fashrec_site.tasks.enqueue_product_jobs", "schedule": 60.0},
    "forget-old-webhooks": {"task": "fashrec_site.tasks.forget_old_webhooks", "schedule": 86400.0},
}

if PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    # Whether a request came by https is gunicorn's word (FORWARDED_ALLOW_IPS), not any header's.
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {"DIRECTIVES": OWN_FILES_ONLY}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="WARNING")},
}
