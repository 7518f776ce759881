"""One thin adapter for each outside system. Each implements a port and is chosen in one place."""
