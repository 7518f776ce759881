"""What can be said of `docker-compose.yaml` without starting it."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

from nocturne.server.settings import Settings

CLONE = Path(__file__).parents[2]
FILE = CLONE / "docker-compose.yaml"
TEXT = FILE.read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
VARIABLE = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")
# They run as what their images say, in this file too.
FIXED_USERS = {"NOCTURNE_AIRFLOW_USER", "NOCTURNE_BLOB_USER"}


class Asked(dict[str, str]):
    """An environment in which nothing is set, and that knows afterwards what it was asked for."""

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self[name] = ""
        return default


def test_it_is_valid() -> None:
    """The file follows the Compose specification's own schema."""
    command = [str(Path(sys.executable).with_name("check-jsonschema")), "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_variable_is_explained() -> None:
    """Each variable stands in `.env.example` with the default that the file has."""
    used = dict(VARIABLE.findall(TEXT))
    explained = dict(re.findall(r"^#([A-Z_]+)=(.*)$", (CLONE / ".env.example").read_text(), re.MULTILINE))
    assert used == explained
    assert not re.findall(r"\$\{[A-Z_]+\}", TEXT)


def test_every_service_is_kept_small() -> None:
    """Each service has limits of memory and processes, a read-only root, logs that end, and only capabilities that it names."""
    for name, service in SERVICES.items():
        assert service["mem_limit"], name
        # A number, and no variable: docker-compose 1.29 hands on the text, which docker-py refuses.
        assert 0 < service["pids_limit"] < 4096, name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}, name


def test_setup_is_told_what_it_reads() -> None:
    """Every setting of the server can be given in `.env`, with the same default; but for users that this file has fixed."""
    told = SERVICES["setup"]["environment"]
    asked = Asked()
    assert Settings.from_environment(asked) == Settings()
    assert set(told) == set(asked) - FIXED_USERS
    assert Settings.from_environment({name: VARIABLE.sub(r"\2", value) for name, value in told.items()}) == Settings()


def test_files_are_given_to_who_reads_them() -> None:
    """The users of the images that are fixed are those to whom `setup` gives their files; Redis runs as the one that it is told."""
    assert SERVICES["databases"]["user"].split(":")[0] == str(Settings.airflow_user)
    assert SERVICES["azurite"]["user"].split(":")[0] == str(Settings.blob_user)
    assert SERVICES["redis"]["user"].split(":$")[0] == SERVICES["setup"]["environment"]["NOCTURNE_REDIS_USER"]


def test_what_stays_is_watched() -> None:
    """Whatever is restarted when it ends also has a health check; the others end by themselves."""
    assert {name for name, service in SERVICES.items() if service["restart"] == "no"} == {"setup", "databases", "local-cloud"}
    for name, service in SERVICES.items():
        checked = service["healthcheck"]
        assert checked == {"disable": True} if service["restart"] == "no" else checked["test"][0] == "CMD", name


def test_one_service_has_the_socket() -> None:
    """The Docker socket is given to one service, and only what runs tasks is on its network."""
    with_socket = [
        name for name, service in SERVICES.items() if any("docker.sock" in volume for volume in service.get("volumes", ()))
    ]
    assert with_socket == ["engine"]
    on_network = {name for name, service in SERVICES.items() if "engine" in service.get("networks", ())}
    assert on_network == {"engine", "scheduler", "triggerer", "worker", "local-cloud"}


def test_no_secret_is_set() -> None:
    """No variable of any service holds a password or a key, nor asks the operator for one."""
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|KEY|TOKEN|CONN|BROKER|RESULT_BACKEND", variable):
                assert variable.endswith(("_CMD", "_FILE")) or "secrets/" in value or "LocalFilesystem" in value, (name, variable)


def test_ports_are_of_this_machine() -> None:
    """What is published listens on this machine alone, unless the operator says otherwise."""
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith(("127.0.0.1:", "${BIND:-127.0.0.1}:")) for port in ports)
