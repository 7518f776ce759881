"""The local stand-ins for the cloud."""

from nocturne.sandbox.environment import environment
from nocturne.sandbox.operations import clean, down, prepare, status, up
from nocturne.sandbox.part import PartStatus
from nocturne.sandbox.progress import Report, report_on
from nocturne.sandbox.settings import Settings

__all__ = ["PartStatus", "Report", "Settings", "clean", "down", "environment", "prepare", "report_on", "status", "up"]
