"""Docker Engine: builds code images and tries release images out."""

from nocturne.adapters.docker_engine.engine import DockerEngine

__all__ = ["DockerEngine"]
