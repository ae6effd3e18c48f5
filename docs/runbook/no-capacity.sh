#!/bin/sh
# AWS has no machine of the fleet's type in the region: sh no-capacity.sh TYPE
# TYPE is another instance type that does as well.
set -eu
type=$1
config=${SKYFLEET_CONFIG_FILE:+--config-file "$SKYFLEET_CONFIG_FILE"}

# The failure says what was tried and what each would have cost. Nodes that run are left alone.
npx skyfleet create --yes || echo "exit code $?"

# Permit another type; no node that runs is moved by that. On-demand (onDemandFallback: true) and more zones are others.
# shellcheck disable=SC2086
pulumi config set --path 'skyfleet:fleets[0].fallbackInstanceTypes[0]' "$type" $config
npx skyfleet create --yes
npx skyfleet nodes
