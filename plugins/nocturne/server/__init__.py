"""A server of one's own: the secrets, the databases and the administrator that docker-compose.yaml starts with."""
