"""Airflow's own tables, and the user that administers it.

Airflow is imported only when it is needed: it takes seconds to load, and reads its configuration meanwhile.
"""

import logging
from typing import TYPE_CHECKING

from nocturne.domain.errors import Broken, ConfigurationError
from nocturne.server.superuser import Say

if TYPE_CHECKING:
    from airflow.providers.fab.auth_manager.security_manager.override import FabAirflowSecurityManagerOverride

ROLE = "Admin"


def migrate(url: str, say: Say) -> None:
    """Make or update the tables of Airflow and of its auth manager, as `airflow db migrate` does.

    Raises ConfigurationError, Broken.
    """
    try:
        from airflow import settings
        from airflow.utils import db
    except ImportError as error:
        # All else is in the image: a driver, for a URL that asks for another.
        fault = f"[database] sql_alchemy_conn or sql_alchemy_conn_async: {error}; expected postgresql+psycopg:// in both"
        raise ConfigurationError("Airflow's configuration", [fault]) from error
    if url != settings.SQL_ALCHEMY_CONN:
        fault = "[database] sql_alchemy_conn is another database than the one that was prepared; expected that of `database_url`"
        raise ConfigurationError("Airflow's configuration", [fault])
    try:
        db.check_migrations(timeout=0)  # type: ignore[no-untyped-call]
    except TimeoutError:
        say("bringing Airflow's tables up to date")
        _upgrade()


def _upgrade() -> None:
    from airflow.utils import db

    try:
        db.upgradedb()
    except SystemExit as error:
        raise Broken("Airflow's tables cannot be brought up to date by themselves; its log above says why") from error


def administrator(name: str, password: str, say: Say) -> None:
    """The user with all rights and this password, made or changed where that is needed. Raises Broken.

    In this process, because `airflow users create` takes a password only as an argument, which every process may read.
    """
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    # At the first start it tells of each of two hundred permissions.
    logging.getLogger("airflow.providers.fab").setLevel(logging.WARNING)
    with get_application_builder() as builder:
        _administrator(builder.sm, name, password, say)


def _administrator(users: "FabAirflowSecurityManagerOverride", name: str, password: str, say: Say) -> None:
    from werkzeug.security import check_password_hash

    role = users.find_role(ROLE)
    if role is None:
        raise Broken(f"Airflow has no role {ROLE}", advice="`airflow sync-perm` makes it")
    user = users.find_user(username=name)
    if user is None:
        # Airflow wants an address that nobody else has; none is ever written to.
        users.add_user(name, "Nocturne", "Administrator", f"{name}@nocturne.invalid", role, password)
        say(f"made the user {name}")
        return
    if role not in user.roles:
        user.roles.append(role)
        users.update_user(user)
        say(f"gave the user {name} the role {ROLE} again")
    if not check_password_hash(user.password or "", password):
        users.reset_password(user.id, password)
        say(f"changed the password of the user {name}; its sessions have ended")
