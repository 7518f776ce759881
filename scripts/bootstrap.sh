#!/bin/sh
# Makes .venv from uv.lock in a fresh clone, with nothing but a Python. Quick when nothing is to be done; called by every make target.
set -eu

cd "$(dirname "$0")/.."
# The one that is locked for .venv, too.
uv_version=$(sed -n '/^name = "uv"$/ { n; s/^version = "\(.*\)"$/\1/p; }' uv.lock)
uv_home=.nocturne/tools/uv-$uv_version

fail() {
    printf 'error: %s\n  What to do: %s\n' "$1" "$2" >&2
    exit 1
}

# The Python that .venv is made with: 3.11 to 3.13, as pyproject.toml says.
find_python() {
    for name in python3 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            # A shim on the PATH may stand for another program in another folder; the program itself does not.
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    fail "found no Python 3.11, 3.12 or 3.13 on the PATH" "install one, on Debian or Ubuntu as root: apt-get install python3 python3-venv"
}

# Debian and Ubuntu leave ensurepip out of python3; it comes with python3-venv.
ensure_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null && return
    package=python$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "bootstrap: installing $package"
        mkdir -p .nocturne/tools
        log=.nocturne/tools/bootstrap.log
        { DEBIAN_FRONTEND=noninteractive apt-get -q -y update &&
            DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$package"; } >"$log" 2>&1 ||
            { tail -n 15 "$log" >&2; fail "$package cannot be installed; the whole log is in $log" "apt-get install $package"; }
    else
        fail "$1 has no ensurepip, which is needed to make a virtual environment" "as root: apt-get install $package"
    fi
}

stamp() {
    cat uv.lock pyproject.toml scripts/bootstrap.sh | cksum
    pwd
}

if [ -x .venv/bin/python ] && [ "$(stamp)" = "$(cat .venv/.nocturne-stamp 2>/dev/null)" ]; then
    exit 0
fi

started=$(date +%s)
python=$(find_python)
if [ ! -x "$uv_home/bin/uv" ]; then
    ensure_venv "$python"
    echo "bootstrap: installing uv $uv_version with $python"
    rm -rf "$uv_home"
    "$python" -m venv "$uv_home"
    "$uv_home/bin/pip" install --quiet --disable-pip-version-check "uv==$uv_version"
fi
echo "bootstrap: making .venv from uv.lock"
UV_PYTHON_DOWNLOADS=never "$uv_home/bin/uv" sync --frozen --quiet --python "$python"
stamp >.venv/.nocturne-stamp
echo "bootstrap: done after $(($(date +%s) - started)) s"
