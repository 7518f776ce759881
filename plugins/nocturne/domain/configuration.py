"""How an app wants to be released: the content of its `release.toml`."""

import tomllib
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nocturne.domain.errors import ConfigurationError
from nocturne.domain.section import Section

FILE = "release.toml"


@dataclass(frozen=True)
class Night:
    """When the night runs, and where it ships to."""

    cron: str
    timezone: str
    environment: str


@dataclass(frozen=True)
class Code:
    """Where the app's code is. ref: branch, tag or commit that a run freezes unless it is told another; folder: the app's."""

    connection: str
    ref: str
    folder: str


@dataclass(frozen=True)
class Model:
    """Where the models are. name: the folder of this model in the store."""

    connection: str
    name: str


@dataclass(frozen=True)
class Image:
    """What images are made of and where they go.

    registry, engine: Airflow connections. base: `repository:tag` in the same registry. python, platform, glibc: what the
    base image has, so that the right wheels are fetched for it. port: where the app listens in its container.
    """

    registry: str
    engine: str
    repository: str
    base: str
    python: str
    platform: str
    glibc: str
    port: int


@dataclass(frozen=True)
class Tests:
    """How the app is tested, in its own environment, from its own folder."""

    command: tuple[str, ...]
    timeout_seconds: int


@dataclass(frozen=True)
class Judge:
    """The gates that code and model must pass together.

    golden: path of the golden set in the app's folder. accuracies are shares (0 to 1); the drop is against the live release.
    """

    command: tuple[str, ...]
    golden: str
    min_accuracy: float
    max_accuracy_drop: float
    max_latency_p99_ms: float
    timeout_seconds: int


@dataclass(frozen=True)
class Environment:
    """Where a release ships. manifests: folder of them in the app's folder. error rate: share of all requests (0 to 1)."""

    name: str
    target: str
    connection: str
    manifests: str
    approval: bool
    rollout_timeout_seconds: int
    verify_seconds: int
    max_error_rate: float


@dataclass(frozen=True)
class Configuration:
    """A whole `release.toml`."""

    name: str
    ledger: str
    night: Night
    code: Code
    model: Model
    image: Image
    tests: Tests
    judge: Judge
    environments: dict[str, Environment]

    def environment(self, name: str) -> Environment:
        """One environment. Raises ConfigurationError that lists those there are."""
        if name not in self.environments:
            known = ", ".join(sorted(self.environments))
            raise ConfigurationError(FILE, [f"environments: found no {name!r}, expected one of {known}"])
        return self.environments[name]


def parse_configuration(content: bytes, source: str) -> Configuration:
    """Read a `release.toml`. Raises ConfigurationError with every fault; `source` names the file in it."""
    try:
        raw = tomllib.loads(content.decode())
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError both are
        raise ConfigurationError(source, [f"not TOML: {error}"]) from error
    faults: list[str] = []
    configuration = _read(Section(raw, "", faults))
    if faults:
        raise ConfigurationError(source, faults)
    return configuration


def _read(top: Section) -> Configuration:
    configuration = Configuration(
        name=top.text("name"),
        ledger=top.text("ledger", "nocturne_ledger"),
        environments={name: _environment(name, section) for name, section in top.tables("environments").items()},
        night=_night(top.table("night")),
        code=_code(top.table("code")),
        model=_model(top.table("model")),
        image=_image(top.table("image")),
        tests=_tests(top.table("tests")),
        judge=_judge(top.table("judge")),
    )
    chosen, known = configuration.night.environment, configuration.environments
    if chosen and known and chosen not in known:
        top.table("night").fault("environment", f"found {chosen!r}, expected one of {', '.join(sorted(known))}")
    top.end()
    return configuration


def _night(section: Section) -> Night:
    night = Night(section.text("cron", "0 2 * * *"), section.text("timezone", "UTC"), section.text("environment"))
    if len(night.cron.split()) != 5:
        section.fault("cron", f"found {night.cron!r}, expected five fields such as '0 2 * * *'")
    try:
        ZoneInfo(night.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        section.fault("timezone", f"found {night.timezone!r}, expected a name from the IANA database such as 'Europe/Berlin'")
    section.end()
    return night


def _code(section: Section) -> Code:
    code = Code(section.text("connection", "nocturne_code"), section.text("ref", "HEAD"), section.text("folder", "app"))
    section.end()
    return code


def _model(section: Section) -> Model:
    model = Model(section.text("connection", "nocturne_models"), section.text("name"))
    section.end()
    return model


def _image(section: Section) -> Image:
    image = Image(
        registry=section.text("registry", "nocturne_registry"),
        engine=section.text("engine", "nocturne_engine"),
        repository=section.text("repository"),
        base=section.text("base"),
        python=section.text("python", "3.11"),
        platform=section.text("platform", "linux/amd64", ("linux/amd64", "linux/arm64")),
        glibc=section.text("glibc", "2.36"),
        port=section.whole("port", 8080, 1, 65535),
    )
    section.end()
    return image


def _tests(section: Section) -> Tests:
    tests = Tests(section.words("command", ("pytest", "-q")), section.whole("timeout_seconds", 600, 1, 86400))
    section.end()
    return tests


def _judge(section: Section) -> Judge:
    judge = Judge(
        command=section.words("command", ("python", "-m", "app.evaluate", "--model", "{model}", "--golden", "{golden}")),
        golden=section.text("golden"),
        min_accuracy=section.number("min_accuracy", 0.9, 0, 1),
        max_accuracy_drop=section.number("max_accuracy_drop", 0.01, 0, 1),
        max_latency_p99_ms=section.number("max_latency_p99_ms", 1000, 0.001, 3_600_000),
        timeout_seconds=section.whole("timeout_seconds", 600, 1, 86400),
    )
    section.end()
    return judge


def _environment(name: str, section: Section) -> Environment:
    environment = Environment(
        name=name,
        target=section.text("target", choices=("swarm",)),
        connection=section.text("connection"),
        manifests=section.text("manifests"),
        approval=section.flag("approval", False),
        rollout_timeout_seconds=section.whole("rollout_timeout_seconds", 600, 1, 86400),
        verify_seconds=section.whole("verify_seconds", 10, 1, 3600),
        max_error_rate=section.number("max_error_rate", 0.0, 0, 1),
    )
    section.end()
    return environment
