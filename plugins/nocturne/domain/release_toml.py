"""Reading a `release.toml`: every fault at once."""

import tomllib
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nocturne.domain.configuration import (
    Bare,
    Code,
    Configuration,
    Environment,
    Image,
    Judge,
    Latest,
    Layout,
    Model,
    Night,
    OnBadModel,
    OnUnclear,
    Tests,
)
from nocturne.domain.errors import ConfigurationError
from nocturne.domain.section import Section
from nocturne.domain.strategy import Canary, Drift, Strategy, StrategyKind


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
        signers=top.table("signers").all_texts(),
    )
    _check_signers(top, configuration)
    chosen, known = configuration.night.environment, configuration.environments
    if chosen and known and chosen not in known:
        top.table("night").fault("environment", f"found {chosen!r}, expected one of {', '.join(sorted(known))}")
    top.end()
    return configuration


def _check_signers(top: Section, configuration: Configuration) -> None:
    for environment in configuration.environments.values():
        for name in environment.signed_by:
            if name not in configuration.signers:
                known = ", ".join(sorted(configuration.signers)) or "none: add [signers]"
                top.fault(f"environments.{environment.name}.signed_by", f"found {name!r}, expected names of [signers]: {known}")


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
    layout = Layout(section.choice("layout", Layout.PUBLISHED, tuple(Layout)))
    model = Model(
        connection=section.text("connection", "nocturne_models"),
        name=section.text("name"),
        layout=layout,
        latest=Latest(section.choice("latest", Latest.POINTER, tuple(Latest))),
        version=section.text("version", ""),
        bare=_bare(section.table("bare")) if layout is Layout.BARE else None,
        formats=section.words("formats", (".onnx",)),
        max_bytes=section.whole("max_bytes", 20_000_000_000, 1, 10**15),
        inspect_seconds=section.whole("inspect_seconds", 120, 1, 86400),
        inspect_memory_bytes=section.whole("inspect_memory_bytes", 8_000_000_000, 100_000_000, 10**13),
    )
    if (model.latest is Latest.PINNED) != bool(model.version):
        section.fault("version", f"found {model.version!r} with latest = {model.latest.value!r}, expected one only with 'pinned'")
    if layout is Layout.BARE and model.latest is not Latest.POINTER:
        section.fault(
            "latest", f"found {model.latest.value!r}, but a bare model has only the version that is there now: leave it out"
        )
    section.end()
    return model


def _bare(section: Section) -> Bare:
    bare = Bare(section.text("model", "model.onnx"), section.text("labels"), section.free("input"), section.free("output"))
    section.end()
    return bare


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
        min_recall=section.number("min_recall", 0.0, 0, 1),
        max_accuracy_drop=section.number("max_accuracy_drop", 0.01, 0, 1),
        significance=section.number("significance", 0.05, 0.000001, 1),
        on_unclear=OnUnclear(section.choice("on_unclear", OnUnclear.STOP, tuple(OnUnclear))),
        on_bad_model=OnBadModel(section.choice("on_bad_model", OnBadModel.STOP, tuple(OnBadModel))),
        max_latency_p99_ms=section.number("max_latency_p99_ms", 1000, 0.001, 3_600_000),
        max_memory_mb=section.whole("max_memory_mb", 4_000, 1, 10_000_000),
        timeout_seconds=section.whole("timeout_seconds", 600, 1, 86400),
        shadow=section.flag("shadow", False),
    )
    section.end()
    return judge


def _environment(name: str, section: Section) -> Environment:
    environment = Environment(
        name=name,
        target=section.text("target", choices=("kubernetes", "swarm")),
        connection=section.text("connection"),
        manifests=section.text("manifests"),
        approval=section.flag("approval", False),
        rollout_timeout_seconds=section.whole("rollout_timeout_seconds", 600, 1, 86400),
        verify_seconds=section.whole("verify_seconds", 10, 1, 3600),
        max_error_rate=section.number("max_error_rate", 0.0, 0, 1),
        strategy=_strategy(section.table("strategy")),
        drift=Drift(section.choice("drift", Drift.CORRECT, tuple(Drift))),
        signed_by=section.words("signed_by", ()),
    )
    if environment.target == "swarm" and environment.strategy.kind is not StrategyKind.ROLLING:
        section.fault(
            "strategy.kind", f"found {environment.strategy.kind.value!r}, expected 'rolling', the only one that Swarm has"
        )
    section.end()
    return environment


def _strategy(section: Section) -> Strategy:
    strategy = Strategy(
        kind=StrategyKind(section.choice("kind", StrategyKind.ROLLING, tuple(StrategyKind))),
        keep_seconds=section.whole("keep_seconds", Strategy.keep_seconds, 0, 86400),
        canary=_canary(section.table("canary")),
    )
    section.end()
    return strategy


def _canary(section: Section) -> Canary:
    canary = Canary(
        share=section.number("share", Canary.share, 0.01, 0.99),
        seconds=section.whole("seconds", Canary.seconds, 1, 86400),
        min_requests=section.whole("min_requests", Canary.min_requests, 1, 1_000_000_000),
        max_error_rate_increase=section.number("max_error_rate_increase", Canary.max_error_rate_increase, 0, 1),
        max_latency_ratio=section.number("max_latency_ratio", Canary.max_latency_ratio, 1, 1000),
    )
    section.end()
    return canary
