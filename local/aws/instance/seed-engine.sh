#!/bin/sh
# Fills an empty /var/lib/docker with the images of ARCHIVES, once and for all instances: each starts with a copy.
# Runs in a container of the instance image; DIGESTS holds lines of "name tag digest".
set -eu
archives=$1
digests=$2

dockerd >/tmp/dockerd.log 2>&1 &
engine=$!
tries=0
until docker version >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 150 ]; then cat /tmp/dockerd.log >&2; exit 1; fi
  sleep 0.2
done
for archive in "$archives"/*.tar; do docker load --quiet --input "$archive"; done
kill "$engine"
wait "$engine" || true

# The engine notes a digest only for what it pulled, and Bacalhau asks the registry about an image without one.
python3 - "$digests" <<'PYTHON'
import json
import sys

path = "/var/lib/docker/image/overlay2/repositories.json"
with open(path) as file:
    record = json.load(file)
with open(sys.argv[1]) as file:
    for name, tag, digest in map(str.split, file):
        references = record["Repositories"][name]
        references[f"{name}@{digest}"] = references[f"{name}:{tag}"]
with open(path, "w") as file:
    json.dump(record, file)
PYTHON

# Only the images: the rest is an engine's own identity and state.
find /var/lib/docker -mindepth 1 -maxdepth 1 ! -name image ! -name overlay2 -exec rm -rf {} +
