# Nocturne's server: Airflow with the locked requirements, the plugin and the DAGs. One image for every service.
#
# With a folder `wheels/` beside this file, holding every distribution of requirements.txt, the build needs no network. It needs
# no BuildKit either. Where the official image cannot be pulled, BASE_IMAGE is any Debian with Python 3.11 to 3.13 and `venv`.

ARG BASE_IMAGE=apache/airflow:slim-3.3.2-python3.11

FROM ${BASE_IMAGE} AS base
USER root
# Installed where the base lacks them. Empty for a base that has them under other names.
ARG DEBIAN_PACKAGES="ca-certificates git"
RUN lacking=""; for package in ${DEBIAN_PACKAGES}; do \
        dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed \
            || lacking="$lacking $package"; \
    done; \
    if [ -n "$lacking" ]; then \
        apt-get update && apt-get install --yes --no-install-recommends $lacking && rm -rf /var/lib/apt/lists/*; \
    fi
# User and folders as in the official image. Its own packages make way for the locked ones: pieces of two versions do not mix.
RUN python="$(python3 -c 'import sys; print(sys.base_prefix)')/bin/python3" \
    && { id airflow >/dev/null 2>&1 || useradd --uid 50000 --gid 0 --create-home --shell /bin/bash airflow; } \
    && { [ "$(id -u airflow):$(id -g airflow)" = 50000:0 ] \
        || { echo "found user $(id airflow), expected uid=50000 gid=0" >&2; exit 1; }; } \
    && rm -rf /home/airflow/.local \
    && "$python" -m venv --without-pip /home/airflow/.local \
    && install --directory --owner=airflow --group=0 --mode=0775 /opt/airflow /opt/airflow/logs /home/airflow/.cache

FROM base AS packages
WORKDIR /build
# requirements.txt is copied too, so that the line matches a file even without a folder `wheels`.
COPY requirements.txt wheel[s]/*.whl ./wheels/
# By uv, which the requirements pin themselves: it is quicker than pip with so many. Bytecode is compiled here, because Airflow
# runs as a user who may write nothing; `unchecked-hash` ignores file times, so that it stays valid however files are copied.
RUN if ls wheels/*.whl >/dev/null 2>&1; then offline="--no-index --find-links wheels"; else offline=""; fi \
    && awk '/^[a-z0-9]/ { wanted = /^uv==/ } wanted' wheels/requirements.txt > uv.txt \
    && "$(/home/airflow/.local/bin/python -c 'import sys; print(sys.base_prefix)')/bin/python3" -m venv installer \
    && PIP_USER=0 installer/bin/pip install --no-cache-dir --disable-pip-version-check --quiet \
        --require-hashes --only-binary :all: $offline -r uv.txt \
    && PYC_INVALIDATION_MODE=UNCHECKED_HASH installer/bin/uv pip install --python /home/airflow/.local/bin/python \
        --no-config --quiet --no-cache --link-mode copy --compile-bytecode --require-hashes --no-build \
        $offline -r wheels/requirements.txt
# What nobody reads: ONNX's test models, tests of NumPy, and Kubernetes' schemas but those of the newest version, the only ones that
# manifests are checked against. uv's own lock is a file that anyone may write.
RUN rm -f /home/airflow/.local/.lock \
    && cd /home/airflow/.local/lib/python3*/site-packages \
    && rm -rf onnx/backend/test/data numpy/tests numpy/*/tests \
    && cd kubernetes_validate/kubernetes-json-schema \
    && newest="$(ls -d v*-local-strict | sort --version-sort | tail -n 1)" \
    && find . -mindepth 1 -maxdepth 1 ! -name "$newest" -exec rm -rf {} + \
    && cd /home/airflow/.local/bin \
    && printf '%s\n' '#!/home/airflow/.local/bin/python' 'from nocturne.cli.main import run' 'run()' > nocturne \
    && chmod 0755 nocturne

FROM base AS plugins
COPY plugins /opt/nocturne/plugins
RUN /home/airflow/.local/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/nocturne/plugins

FROM base
# A read-only root is enough but for /opt/airflow, /home/airflow/.cache and /tmp. The scheduler answers for its own health.
ENV PATH=/home/airflow/.local/bin:$PATH \
    PYTHONPATH=/opt/nocturne/plugins \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/nocturne/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/nocturne/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK=True \
    AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST=127.0.0.1
WORKDIR /opt/airflow
USER 50000:0
EXPOSE 8080
STOPSIGNAL SIGTERM
# The command is what runs, without a shell or a supervisor: run the container with an init (`docker run --init`, `init: true`),
# which passes signals on and buries orphans.
ENTRYPOINT []
CMD ["nocturne", "--help"]
# `-P`: the script's neighbours must not stand in for modules of the standard library.
HEALTHCHECK --interval=30s --timeout=15s --start-period=90s --retries=3 \
    CMD ["python", "-P", "/opt/nocturne/plugins/nocturne/server/health.py"]
COPY --from=packages /home/airflow/.local /home/airflow/.local
COPY --from=plugins /opt/nocturne/plugins /opt/nocturne/plugins
COPY app/release.toml /opt/nocturne/app/release.toml
COPY dags /opt/nocturne/dags
ARG VERSION=""
ARG REVISION=""
LABEL org.opencontainers.image.title="Nocturne" \
      org.opencontainers.image.description="A release orchestrator for AI apps, on Airflow" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
