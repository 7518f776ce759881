"""The server's image, built without a network and run as a server runs it."""

import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import BuildError
from kubernetes_validate import latest_version

from nocturne.adapters.kubernetes.schema import schema_faults
from tests.containers import printed
from tests.integration.server_image.server_image import ROOT, build_context, build_once, copy_of

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]
Name = Callable[[], str]
_OFFICIAL = "nocturne-test/server-official"
_WRITABLE = ("/opt/airflow", "/home/airflow/.cache", "/tmp")


def run(client: docker.DockerClient, image: str, command: Sequence[str], **options: Any) -> str:
    """What a command prints, with a read-only root, without a network and without any rights."""
    return printed(
        client,
        image,
        command,
        init=True,
        read_only=True,
        tmpfs=dict.fromkeys(_WRITABLE, "mode=1777"),
        network_mode="none",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        **options,
    )


def layers(client: docker.DockerClient, image: str) -> list[str]:
    return list(client.images.get(image).attrs["RootFS"]["Layers"])


@pytest.fixture(scope="module")
def files(client: docker.DockerClient, image: str) -> list[str]:
    """Every path in the image, from `nocturne` and from the packages, as a container sees them."""
    container = client.containers.create(image)
    try:
        return list(_paths(client, container.id))
    finally:
        container.remove()


def _paths(client: docker.DockerClient, container: str) -> Iterator[str]:
    response = client.api._get(client.api._url("/containers/{0}/export", container), stream=True)
    with tarfile.open(fileobj=response.raw, mode="r|") as tar:
        for member in tar:
            yield member.name


def test_programs_run_as_airflow_with_a_read_only_root(client: docker.DockerClient, image: str) -> None:
    """All that a night runs is there, for a user without rights who may write three folders."""
    script = "id -u; id -g; airflow version; nocturne version; git --version; uv --version; python -m pip --version; pwd"
    said = run(client, image, ["sh", "-ec", script]).splitlines()
    expected = [
        r"50000",
        r"0",
        r"3\.3\.2",
        r"0\.1\.0",
        r"git version .+",
        r"uv .+",
        r"pip .+ from /home/airflow/\.local/.+",
        r"/opt/airflow",
    ]
    assert len(said) == len(expected)
    assert [line for line, pattern in zip(said, expected, strict=True) if not re.fullmatch(pattern, line)] == []


def test_the_dags_are_read_without_an_error(client: docker.DockerClient, image: str) -> None:
    """Plugin, `release.toml` and packages fit together, on a database that was just made."""
    made = "(airflow db migrate; airflow dags reserialize) >/dev/null 2>&1"
    said = run(client, image, ["sh", "-ec", f"{made}; airflow dags list-import-errors -o plain; airflow dags list -o plain"])
    assert "No data found" in said
    assert {"nightly_release", "rollback"} <= {line.split()[0] for line in said.splitlines() if line.strip()}


def test_every_package_is_the_locked_one(client: docker.DockerClient, image: str) -> None:
    """What is installed stands in requirements.txt with just this version, and fits together."""
    pinned = set(re.findall(r"^([a-z0-9][^ ]*==[^ ]+)", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE))
    installed = set(run(client, image, ["uv", "pip", "freeze", "--python", "/home/airflow/.local/bin/python"]).splitlines())
    assert installed - pinned == set()
    assert len(installed) > 200
    run(client, image, ["uv", "pip", "check", "--python", "/home/airflow/.local/bin/python"])


def test_manifests_are_checked_by_the_same_schemas(client: docker.DockerClient, image: str) -> None:
    """Of Kubernetes' schemas the image has one version, and it is the one that the clone's own packages take."""
    found = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": "http"}], "prots": []}}
    script = """
import json, sys
from nocturne.adapters.kubernetes.schema import latest_version, schema_faults
print(latest_version(), schema_faults(json.loads(sys.argv[1])))
"""
    said = run(client, image, ["python", "-c", script, json.dumps(found)])
    assert said == f"{latest_version()} {schema_faults(found)}"
    assert len(schema_faults(found)) == 2


def test_the_user_cannot_change_what_runs(client: docker.DockerClient, image: str) -> None:
    """Even with a writable root, code and packages are another user's."""
    script = "find /opt/nocturne /home/airflow/.local -writable ! -type l | head; touch /opt/airflow/logs/a /home/airflow/.cache/b"
    container = client.containers.run(image, ["sh", "-ec", script], detach=True, network_mode="none")
    try:
        assert container.wait()["StatusCode"] == 0
        assert container.logs() == b""
    finally:
        container.remove()


def test_nothing_else_is_in_it(files: list[str]) -> None:
    """No wheels, repository, tests, environments or secrets; of the app its `release.toml` alone."""
    ours = [name for name in files if name.startswith("opt/nocturne/")]
    assert {name.split("/")[2] for name in ours} == {"", "app", "dags", "plugins"} or {name.split("/")[2] for name in ours} == {
        "app",
        "dags",
        "plugins",
    }
    assert [name for name in ours if name.startswith("opt/nocturne/app/") and not name.endswith("/")] == [
        "opt/nocturne/app/release.toml"
    ]
    strange = re.compile(r"(^|/)(\.git|\.env[^/]*|\.nocturne[^/]*|\.venv|tests)(/|$)|\.(whl|pem|key)$")
    assert [name for name in ours if strange.search(name)] == []
    assert [name for name in files if name.endswith(".whl") and "ensurepip" not in name and "python-wheels" not in name] == []
    assert [
        name for name in files if name.startswith(("build", "root/.cache", "home/airflow/.cache/", "var/lib/apt/lists/deb"))
    ] == []


def test_modules_are_compiled_beforehand(files: list[str]) -> None:
    """A read-only root never gets bytecode later, and Airflow starts in half the time with it."""
    compiled = {name for name in files if name.endswith(".pyc")}
    for module in ("opt/nocturne/plugins/nocturne/cli/main", "home/airflow/.local/lib/python3.11/site-packages/airflow/settings"):
        folder, _, name = module.rpartition("/")
        assert f"{folder}/__pycache__/{name}.cpython-311.pyc" in compiled


def test_a_secret_beside_the_dockerfile_stays_outside(
    client: docker.DockerClient, base: str, clone: Path, image: str, new_name: Name
) -> None:
    """What the clone has beside the code changes no layer, because it never gets to the engine."""
    name = new_name()
    with copy_of(clone) as folder:
        for path in (".env", "secrets.json", "tests/test_a.py", ".git/config", "app/web.py", "plugins/nocturne/__pycache__/a.pyc"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text("geheim")
        build_context(client, folder, base, name)
    assert layers(client, name) == layers(client, image)


def test_a_changed_dag_is_one_new_layer(client: docker.DockerClient, base: str, clone: Path, image: str, new_name: Name) -> None:
    """The last one; all others are those of the image before, by their digest."""
    name = new_name()
    with copy_of(clone) as folder:
        with (folder / "dags" / "nightly_release.py").open("a") as dag:
            dag.write("# changed\n")
        build_context(client, folder, base, name)
    before, after = layers(client, image), layers(client, name)
    assert after[:-1] == before[:-1]
    assert after[-1] != before[-1]


def test_a_changed_plugin_leaves_the_packages_alone(
    client: docker.DockerClient, base: str, clone: Path, image: str, new_name: Name
) -> None:
    """Hundreds of megabytes are neither built nor pulled again."""
    name = new_name()
    with copy_of(clone) as folder:
        with (folder / "plugins" / "nocturne" / "__init__.py").open("a") as module:
            module.write("# changed\n")
        build_context(client, folder, base, name)
    before, after = layers(client, image), layers(client, name)
    assert after[:-3] == before[:-3]
    assert after[-3] != before[-3]


def test_what_is_built_is_not_built_again(client: docker.DockerClient, base: str, clone: Path, image: str) -> None:
    """The stack's tests get the image of these tests for nothing."""
    before = client.images.get(image).id
    build_once(client, clone, base, image)
    assert client.images.get(image).id == before


def test_a_base_like_the_official_one_works(client: docker.DockerClient, base: str, clone: Path, image: str) -> None:
    """Its user stays, its packages make way for the locked ones, and its entry point is not asked."""
    # Kept from one run to the next: all packages are installed anew for another base, which takes minutes.
    official, name = f"{_OFFICIAL}:base", f"{_OFFICIAL}:built"
    build_dockerfile(
        client,
        official,
        f"""FROM {base}
        RUN useradd --uid 50000 --gid 0 --create-home airflow && mkdir /opt/airflow && chown airflow:0 /opt/airflow
        USER airflow
        RUN python3 -m venv /home/airflow/.local && mkdir /home/airflow/.local/lib/python3.11/site-packages/flask-1.0.dist-info
        ENV VIRTUAL_ENV=/home/airflow/.local PATH=/home/airflow/.local/bin:$PATH PIP_USER=true
        ENTRYPOINT ["/usr/bin/dumb-init", "--", "/entrypoint"]""",
    )
    build_once(client, clone, official, name)
    script = "id -u; airflow version; nocturne version; ls -d /home/airflow/.local/lib/python3.11/site-packages/flask-*"
    said = run(client, name, ["sh", "-ec", script]).splitlines()
    assert said[:3] == run(client, image, ["sh", "-ec", "id -u; airflow version; nocturne version"]).splitlines()
    assert len(said) == 4
    assert "flask-1.0" not in said[3]


def test_a_foreign_user_of_that_name_is_refused(client: docker.DockerClient, base: str, clone: Path, new_name: Name) -> None:
    """Volumes of a server belong to a number; an image whose `airflow` is another one would not read them."""
    wrong = new_name()
    build_dockerfile(client, wrong, f"FROM {base}\nRUN useradd --uid 1234 airflow")
    with pytest.raises(BuildError) as error:
        build_context(client, clone, wrong, new_name())
    said = "".join(str(item.get("stream", "")) for item in error.value.build_log)
    assert "found user uid=1234(airflow)" in said
    assert "expected uid=50000 gid=0" in said


def test_health_is_asked_for_cheaply(client: docker.DockerClient, image: str) -> None:
    """The image's check is the script, and it judges: a service that does not answer is told, a mere command is well."""
    check = client.images.get(image).attrs["Config"]["Healthcheck"]["Test"]
    assert check[0] == "CMD"
    assert run(client, image, check[1:]) == ""
    told = run(client, image, ["sh", "-c", f"{' '.join(check[1:])} scheduler; echo $?"])
    assert re.fullmatch(r"scheduler: http://127\.0\.0\.1:8974/health does not answer: .*refused\n1", told)


def build_dockerfile(client: docker.DockerClient, name: str, text: str) -> None:
    client.images.build(fileobj=io.BytesIO(text.encode()), tag=name, network_mode="none", rm=True, forcerm=True)
