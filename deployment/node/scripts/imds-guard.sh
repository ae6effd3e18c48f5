#!/bin/sh
# Cuts containers with a network of their own from the instance's metadata, and so from its role's keys, whatever the
# metadata service's hop limit is. The node itself and containers on its network do not pass this chain. Prints "set"
# or "added".
#
# The chain is FORWARD of the mangle table because it is walked before any rule of a container engine, which would
# otherwise depend on who put its rule first: Docker and podman each insert theirs when they start.
set -eu

rule='FORWARD -d 169.254.169.254/32 -j DROP'

# shellcheck disable=SC2086 # the rule is several words
if iptables -w 10 -t mangle -C $rule 2>/dev/null; then
  echo set
else
  iptables -w 10 -t mangle -I $rule
  echo added
fi
