#!/bin/sh
# Make the project's environment from uv.lock. Wanted from outside: PYTHON, VENV, UV_VERSION.
set -eu

say() { printf '%s\n' "$*" >&2; }

if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "make: $PYTHON is missing or older than Python 3.11. Name another: make PYTHON=/path/to/python3.12 ..."
    exit 1
fi

tools="$VENV/uv"
if command -v uv >/dev/null 2>&1; then
    uv=uv
elif [ -x "$tools/bin/uv" ]; then
    uv="$tools/bin/uv"
else
    say "make: getting uv $UV_VERSION"
    mkdir -p "$VENV"
    if "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
        "$PYTHON" -m venv "$tools"
    elif "$PYTHON" -m virtualenv --version >/dev/null 2>&1; then
        "$PYTHON" -m virtualenv -q "$tools"
    elif "$PYTHON" -m pip --version >/dev/null 2>&1; then
        "$PYTHON" -m pip install -q --target "$tools/lib" "uv==$UV_VERSION"
        mkdir -p "$tools/bin" && ln -sf ../lib/bin/uv "$tools/bin/uv"
    else
        say "make: this Python has neither ensurepip, virtualenv nor pip."
        say "      On Debian or Ubuntu: apt-get install python3-venv; or put uv on PATH; then run make again."
        exit 1
    fi
    [ -x "$tools/bin/uv" ] || "$tools/bin/python" -m pip install -q "uv==$UV_VERSION"
    uv="$tools/bin/uv"
fi

# uv makes the environment around the folder `uv`, which it leaves alone.
[ -x "$VENV/bin/python" ] || "$uv" venv -q --allow-existing --python "$PYTHON" "$VENV"
say "make: installing the locked packages into $VENV (some 400 MB the first time)"
exec "$uv" sync --quiet --locked --compile-bytecode
