#!/bin/sh
# A node is up, and not connected to the orchestrator: sh not-connected.sh NODE
set -eu
node=$1

# Who is it, and how is it seen? Exit code 2: something was found.
npx skyfleet nodes || [ $? -eq 2 ]

# What does it say of itself, and what does its compute node say?
npx skyfleet health --verbose "$node" || [ $? -eq 2 ]
npx skyfleet exec --node "$node" 'sudo docker ps --all --format "{{.Names}}: {{.Status}}"'
npx skyfleet logs --of compute --lines 5 "$node"

# Its services are restarted where their checks fail, on the same machine. Nothing else is touched.
npx skyfleet repair --yes
npx skyfleet nodes
