#!/bin/sh
# Puts SkyPilot's node runtime where its own setup commands look for it (sky/skylet/constants.py), so that a launch
# installs nothing: an instance has no way out to fetch anything from.
# Run as `ubuntu` while the image is built; INPUTS holds the locks, SkyPilot's wheel and the build environment.
set -eu
INPUTS=$1
. "$INPUTS/environment"

python3 -m venv /tmp/uv-venv
/tmp/uv-venv/bin/pip install --quiet --no-cache-dir -r "$INPUTS/uv.lock"
mkdir -p ~/.local/bin ~/.ssh ~/.sky/sky_app ~/.sky/wheels ~/sky_workdir
chmod 700 ~/.ssh
cp /tmp/uv-venv/bin/uv ~/.local/bin/uv
rm -r /tmp/uv-venv

uv=~/.local/bin/uv
export UV_CACHE_DIR=/tmp/uv-cache UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
$uv venv --quiet --seed --python /usr/bin/python3 ~/skypilot-runtime
VIRTUAL_ENV=~/skypilot-runtime $uv pip install --quiet --no-deps --compile-bytecode -r "$INPUTS/skypilot-runtime.lock"
VIRTUAL_ENV=~/skypilot-runtime $uv pip install --quiet --no-deps --compile-bytecode "$INPUTS"/wheel/*/skypilot-*.whl
$uv venv --quiet --seed --relocatable --system-site-packages --python /usr/bin/python3 ~/sky-user-env
rm -rf /tmp/uv-cache

# SkyPilot reinstalls its wheel on a node whose recorded hash differs from the server's.
basename "$(dirname "$INPUTS"/wheel/*/skypilot-*.whl)" > ~/.sky/wheels/current_sky_wheel_hash
