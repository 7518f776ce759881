"""Installing Debian packages where that can be done properly: as root, on Debian or Ubuntu."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nocturne.domain.errors import Broken
from nocturne.sandbox.programs import Programs

_APT = ("apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0")
_POLICY = Path("/usr/sbin/policy-rc.d")
_SYSTEMD = Path("/run/systemd/system")


@dataclass(frozen=True)
class Program:
    """A program that the sandbox runs. package: the Debian package that brings it. need: what for, for the person who lacks it.

    optional: there is another way where it cannot be installed.
    """

    name: str
    package: str
    need: str
    optional: bool = False


PROGRAMS = (
    Program("dockerd", "docker.io", "the container engine"),
    Program("iptables", "iptables", "the container engine's networks"),
    Program("docker-registry", "docker-registry", "the image registry", optional=True),
    Program("mmdebstrap", "mmdebstrap", "building the base image where none can be pulled", optional=True),
    Program("git", "git", "reading the app's code"),
    Program("node", "nodejs", "Azurite, the stand-in for blob storage"),
    Program("npm", "npm", "installing Azurite"),
)


# What is not asked for where an engine runs already.
ENGINE_PROGRAMS = ("dockerd", "iptables")


def found(name: str) -> bool:
    """Whether a program is installed; root's own may be missing on the PATH."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    return shutil.which(name, path=path) is not None


def missing(programs: Sequence[Program] = PROGRAMS) -> list[Program]:
    """Those that are to be installed: all that are not there; where nothing can be installed, those without another way."""
    return [program for program in programs if not found(program.name) and (can_install() or not program.optional)]


def install(lacking: Sequence[Program], programs: Programs) -> None:
    """Install the packages of these programs. Raises Broken where that cannot be done properly, with the command that would."""
    packages = [program.package for program in lacking]
    by_hand = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if not can_install():
        needs = "; ".join(f"{program.name} ({program.need})" for program in lacking)
        raise Broken(
            f"found no {needs}, and can install only as root on Debian or Ubuntu",
            advice=f"as root: {by_hand}, or what does the same here",
        )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    advice = f"put right what the log says, or install by hand: {by_hand}"
    with _no_services_started():
        # An installation that was cut short leaves packages that apt refuses to build on.
        programs.run("apt", ["dpkg", "--configure", "-a"], advice, environment)
        programs.run("apt", [*_APT, "update"], advice, environment)
        programs.run("apt", [*_APT, "install", "--no-install-recommends", *packages], advice, environment)
    if _SYSTEMD.is_dir() and "docker-registry" in packages:
        # The sandbox runs its own, and this one would take its port after the next start of the machine.
        programs.run("apt", ["systemctl", "disable", "docker-registry"], "systemctl disable docker-registry", environment)


def describe_system(release: Path = Path("/etc/os-release")) -> Mapping[str, str]:
    """The entries of os-release, empty where there is none. Source: https://man7.org/linux/man-pages/man5/os-release.5.html"""
    if not release.exists():
        return {}
    pairs = (line.partition("=") for line in release.read_text().splitlines())
    return {name: value.strip("\"'") for name, equals, value in pairs if equals}


def can_install() -> bool:
    """Whether this is root on a system with apt."""
    system = describe_system()
    family = {system.get("ID", ""), *system.get("ID_LIKE", "").split()}
    return os.geteuid() == 0 and "debian" in family and shutil.which("apt-get") is not None


@contextlib.contextmanager
def _no_services_started() -> Iterator[None]:
    """Keep packages from starting what the sandbox starts itself; where systemd runs, Docker is left to it.

    Source: https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt
    """
    if _POLICY.exists():
        yield
        return
    refused = "docker-registry" if _SYSTEMD.is_dir() else "docker|docker-registry|containerd"
    _POLICY.write_text(f'#!/bin/sh\ncase "$1" in {refused}) exit 101 ;; esac\nexit 0\n')
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
