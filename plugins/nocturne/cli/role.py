"""`nocturne role`: the least that Kubernetes must allow."""

from typing import Annotated

import typer

from nocturne.cli import workplace
from nocturne.cli.output import err
from nocturne.composition import ConnectedWorld
from nocturne.composition.kubernetes_access import Place, kept_secret, place
from nocturne.domain.errors import ConfigurationError


def role(
    environment: Annotated[str, typer.Argument(help="An environment of release.toml whose target is kubernetes.")],
    service_account: Annotated[str, typer.Option(help="Name of the ServiceAccount, the Role and the RoleBinding.")] = "nocturne",
    namespace: Annotated[str, typer.Option(help="The app's namespace, unless the environment's connection names it.")] = "",
) -> None:
    """Print a Role with exactly what a release needs, a ServiceAccount and their RoleBinding, for `kubectl apply -f -`.

    The namespace must be there. With a pull secret that releases keep up to date, the Role includes it.
    """
    from nocturne.adapters.kubernetes import role_yaml

    world = workplace.world()
    target = world.configuration.environment(environment).target
    if target != "kubernetes":
        raise ConfigurationError("release.toml", [f"environments.{environment}.target: found {target!r}, expected 'kubernetes'"])
    where = _place(world, environment)
    if where is None and not namespace:
        wanted = world.configuration.environment(environment).connection
        err.print(f"found no connection {wanted}: this is for the namespace default; --namespace names another", markup=False)
    registry = workplace.connection(world.configuration.image.registry) if where and where.pull_secret else None
    secret = kept_secret(where, registry) if where and registry else ""
    typer.echo(role_yaml(namespace or (where.namespace if where else "default"), service_account, secret), nl=False)


def _place(world: ConnectedWorld, environment: str) -> Place | None:
    # The Role often comes first, because a connection needs its ServiceAccount.
    if not world.connected(environment):
        return None
    return place(workplace.connection(world.configuration.environment(environment).connection))
