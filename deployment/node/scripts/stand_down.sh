#!/bin/sh
# Makes this node give up its place: drains it where node.json says so, ends its services for good, prints one
# SKYFLEET_STOOD_DOWN line. May run again at any time; the run part brings everything back.
set -eu
umask 022

here=$(dirname "$(readlink -f "$0")")
exec python3 -B "$here/stand_down.py"
