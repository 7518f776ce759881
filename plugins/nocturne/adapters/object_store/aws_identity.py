"""Who we are to AWS where no keys are given: a profile, a role, or what the worker finds around itself."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nocturne.domain.errors import Broken

if TYPE_CHECKING:
    from obstore.store import S3Credential

# boto3 renews keys of its own accord when they have less than 10 minutes left, so what it gives is good for that long:
# https://github.com/boto/botocore/blob/1.44.5/botocore/credentials.py, `_mandatory_refresh_timeout`.
_GOOD_FOR = timedelta(minutes=10)
_SESSION = "nocturne"


@dataclass(frozen=True)
class AwsIdentity:
    """Gives keys for S3, and others when they end. Secrets are kept out of its repr.

    access_key_id, secret_access_key, session_token: to begin with; without them boto3's default chain is asked (environment,
    profile, container, instance). role: ARN of a role to take on, with the further arguments of `AssumeRole`.
    sts_endpoint: URL of the Security Token Service, where it is not AWS's own.
    """

    profile: str = ""
    region: str = ""
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    role: str = ""
    role_arguments: dict[str, Any] = field(default_factory=dict, repr=False)
    sts_endpoint: str = ""

    def __call__(self) -> "S3Credential":
        """Keys for now. Raises Broken when there are none."""
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

        try:
            return self._of_role() if self.role else self._of_session()
        except (BotoCoreError, ClientError) as error:
            doing = f"taking on the role {self.role}" if self.role else "looking for AWS credentials"
            raise Broken(f"{doing} failed: {error}", advice="correct the connection, or what the worker itself may do") from error

    def home_region(self) -> str:
        """The region that the connection, the profile or the environment names, else AWS's first."""
        return self.region or self._session.region_name or "us-east-1"

    @cached_property
    def _session(self) -> Any:
        import boto3  # type: ignore[import-untyped]

        return boto3.Session(
            aws_access_key_id=self.access_key_id or None,
            aws_secret_access_key=self.secret_access_key or None,
            aws_session_token=self.session_token or None,
            profile_name=self.profile or None,
            region_name=self.region or None,
        )

    def _of_session(self) -> "S3Credential":
        found = self._session.get_credentials()
        if found is None:
            raise Broken(
                "found no AWS credentials: neither variables nor a profile nor a role of this machine",
                advice="give the connection an access key, a profile or a role, or the worker a role of its own",
            )
        keys = found.get_frozen_credentials()
        ends = datetime.now(UTC) + _GOOD_FOR
        return {"access_key_id": keys.access_key, "secret_access_key": keys.secret_key, "token": keys.token, "expires_at": ends}

    def _of_role(self) -> "S3Credential":
        service = self._session.client("sts", region_name=self.home_region(), endpoint_url=self.sts_endpoint or None)
        arguments = {"RoleSessionName": _SESSION, **self.role_arguments}
        keys = service.assume_role(RoleArn=self.role, **arguments)["Credentials"]
        return {
            "access_key_id": keys["AccessKeyId"],
            "secret_access_key": keys["SecretAccessKey"],
            "token": keys["SessionToken"],
            # The client takes Python's own UTC only, and botocore gives another library's.
            "expires_at": keys["Expiration"].astimezone(UTC),
        }
