#!/bin/sh
# Checks this node; see `health-check.sh --help`. Installed as /usr/local/bin/health-check.sh, a link.
set -eu

here=$(dirname "$(readlink -f "$0")")
exec python3 -B "$here/health_check.py" "$@"
