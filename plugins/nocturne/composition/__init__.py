"""Where every adapter is chosen, from `release.toml` and the connections it names.

Adapters are imported where they are made: a task that only asks the ledger need not wait for Docker's client to load.
"""

from nocturne.composition.deployed import cache_folder, deployed_configuration
from nocturne.composition.world import ConnectedWorld

__all__ = ["ConnectedWorld", "cache_folder", "deployed_configuration"]
