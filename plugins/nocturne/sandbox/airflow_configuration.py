"""How the sandbox sets Airflow up: small enough for two cores, quick to notice a change or a death.

Source of the options: https://airflow.apache.org/docs/apache-airflow/3.3.2/configurations-ref.html
"""

from nocturne.sandbox.secret_file import Secrets
from nocturne.sandbox.settings import Settings


def airflow_configuration(settings: Settings, secrets: Secrets) -> dict[str, str]:
    """Environment variables `AIRFLOW_HOME` and `AIRFLOW__<SECTION>__<OPTION>`."""
    home = settings.home / "airflow"
    return {
        "AIRFLOW_HOME": str(home),
        **_section("core", _core(settings, secrets)),
        # SQLite lets one write at a time; with four components and four tasks some wait longer than its 5 s.
        **_section("database", {"sql_alchemy_conn": f"sqlite:///{home / 'airflow.db'}?timeout=60"}),
        **_section("api", _api(settings, secrets)),
        **_section("api_auth", {"jwt_secret": secrets.airflow_jwt_secret}),
        **_section(
            "logging",
            {
                "worker_log_server_port": str(settings.task_log_port),
                "trigger_log_server_port": str(settings.trigger_log_port),
                "colored_console_log": "False",
            },
        ),
        **_section("dag_processor", {"parsing_processes": "1", "refresh_interval": "10", "print_stats_interval": "0"}),
        **_section("scheduler", _scheduler()),
        **_section("workers", _workers()),
    }


def _core(settings: Settings, secrets: Secrets) -> dict[str, str]:
    return {
        "dags_folder": str(settings.clone / "dags"),
        "plugins_folder": str(settings.clone / "plugins"),
        "load_examples": "False",
        "executor": "LocalExecutor",
        "parallelism": "4",
        "dags_are_paused_at_creation": "False",
        "fernet_key": secrets.airflow_fernet_key,
        "execution_api_server_url": f"http://127.0.0.1:{settings.airflow_port}/execution/",
        "simple_auth_manager_users": f"{secrets.airflow_user}:admin",
    }


def _api(settings: Settings, secrets: Secrets) -> dict[str, str]:
    return {
        "base_url": settings.airflow_url,
        "host": "127.0.0.1",
        "port": str(settings.airflow_port),
        "workers": "1",
        "secret_key": secrets.airflow_api_secret,
    }


def _scheduler() -> dict[str, str]:
    return {
        # A night has a dozen short steps, and each waits for the next look of an idle scheduler.
        "scheduler_idle_sleep_time": "0.3",
        # A task that was killed with its supervisor is noticed by its silence; tasks report every second.
        "task_instance_heartbeat_timeout": "30",
        "task_instance_heartbeat_timeout_detection_interval": "5",
    }


def _workers() -> dict[str, str]:
    return {
        "execution_api_timeout": "30",
        # By default what ran a task may notice its end 5 s late. One that was resumed by then is taken for killed, and tried again.
        "min_heartbeat_interval": "1",
        # An API server that is away for 15 s ends no task, as by default: 3 times 5 s.
        "max_failed_heartbeats": "15",
    }


def _section(name: str, options: dict[str, str]) -> dict[str, str]:
    return {f"AIRFLOW__{name.upper()}__{option.upper()}": value for option, value in options.items()}
