"""The real moto server, an emulator of AWS over HTTP, on a free port."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest

from nocturne.adapters.object_store import StoreSettings

KEYS = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
REGION = "eu-west-1"
START_SECONDS = 60
_LISTENS = re.compile(r"Running on (http://127\.0\.0\.1:[0-9]+)")


@dataclass(frozen=True)
class Moto:
    """A running moto. url: of all its services."""

    url: str
    process: subprocess.Popen[bytes]

    def settings(self, bucket: str, *, retry_seconds: float = 20, keys: tuple[str, str] = KEYS) -> StoreSettings:
        return StoreSettings(
            "s3",
            bucket=bucket,
            region=REGION,
            endpoint=self.url,
            access_key_id=keys[0],
            secret_access_key=keys[1],
            retry_seconds=retry_seconds,
        )

    def client(self, service: str) -> Any:
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1]
        )

    def user(self, name: str, *actions: str) -> tuple[str, str]:
        """A new user's access key, who may do these actions anywhere."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if actions:
            allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
            iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=json.dumps(allowed))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def enforce(self) -> None:
        """From now on every request's signature and rights are checked: https://docs.getmoto.org/en/latest/docs/iam.html"""
        headers = {"Content-Type": "text/plain"}
        urlopen(Request(f"{self.url}/moto-api/reset-auth", data=b"0", headers=headers, method="POST")).close()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


def start_moto(folder: Path) -> Moto:
    """Start one, and return once it listens. folder: gets its log."""
    log = folder / "moto.log"
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            env=ours,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + START_SECONDS
    while not (found := _LISTENS.search(log.read_text())):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"moto did not start:\n{log.read_text()}")
        time.sleep(0.05)
    return Moto(found[1], process)


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """One for all tests of a session, which lets everybody do anything; each makes buckets of its own."""
    running = start_moto(tmp_path_factory.mktemp("moto"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def strict_moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """One whose requests are checked once a test says `enforce`; what is to be prepared comes before that."""
    running = start_moto(tmp_path_factory.mktemp("strict-moto"))
    yield running
    running.stop()
