#!/bin/sh
# Upgrades Bacalhau place by place: sh upgrade-bacalhau.sh IMAGE PLACE …
set -eu
image=$1
shift
config=${SKYFLEET_CONFIG_FILE:+--config-file "$SKYFLEET_CONFIG_FILE"}

# shellcheck disable=SC2086
pulumi config set --path skyfleet:bacalhau.image "$image" $config
for place in "$@"; do
  npx skyfleet create --yes --place "$place"
  # Stops here where a node is not well. To go back: set the earlier image, and create.
  npx skyfleet nodes
done
npx skyfleet exec 'sudo docker ps --filter name=bacalhau_compute --format "{{.Image}}"'
