"""What every client of a store over HTTP is told: how long it waits, and how often it tries."""

from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.store import AzureStore, S3Store

from nocturne.adapters.object_store.settings import StoreSettings

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

# The client repeats what a busy store refused, but does not tell us the answer's Retry-After nor heed it:
# https://github.com/apache/arrow-rs-object-store/pull/410. So nothing is repeated sooner than this.
BUSY_SECONDS = 5.0


def client_options(settings: StoreSettings) -> "ClientConfig":
    """Time limits of one request."""
    return {
        "allow_http": settings.url.startswith("http://"),
        "connect_timeout": "5s",
        # A large range on a slow line may take its time, as long as something arrives.
        "timeout": "30m",
        "read_timeout": timedelta(seconds=settings.retry_seconds),
    }


def retries(settings: StoreSettings) -> "RetryConfig":
    """How the client itself repeats requests; what only reads is repeated by `Patience`, which knows more."""
    least = timedelta(seconds=min(BUSY_SECONDS, settings.retry_seconds))
    return {
        "retry_timeout": timedelta(seconds=settings.retry_seconds),
        "max_retries": 20,
        "backoff": {"init_backoff": least, "max_backoff": 2 * least, "base": 2},
    }


def asking_once(store: "ObjectStore") -> "ObjectStore":
    """The same store without retries of its own. A request that hears nothing is given up early enough to be sent again."""
    if not isinstance(store, (AzureStore, S3Store)):
        return store
    made = S3Store if isinstance(store, S3Store) else AzureStore
    # A store takes back what it tells of itself, but for one key, whose name it shortens.
    config = {name.replace("endpoint_url_s3", "aws_endpoint_url_s3"): value for name, value in store.config.items()}
    return made(
        prefix=store.prefix,
        config=config,  # type: ignore[arg-type]
        client_options={**(store.client_options or {}), "read_timeout": timedelta(seconds=patience_of(store) / 3)},
        retry_config={"max_retries": 0},
        credential_provider=store.credential_provider,  # type: ignore[arg-type]
    )


def patience_of(store: "ObjectStore") -> float:
    """For how many seconds a store's requests are kept up; 0 for a folder, which does not fail by chance."""
    config = store.retry_config if isinstance(store, (AzureStore, S3Store)) else None
    return config["retry_timeout"].total_seconds() if config else 0.0
