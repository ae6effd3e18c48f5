#!/bin/sh
# A node's disk is full: sh full-disk.sh NODE FILE
# FILE is what may go, once the list of what is large has shown it.
set -eu
node=$1
file=$2

npx skyfleet health "$node" || [ $? -eq 2 ]

# What is large?
npx skyfleet exec --node "$node" 'df -h / /var/lib/bacalhau'
npx skyfleet exec --node "$node" 'sudo du -ah /var/lib/bacalhau /opt/sensor /var/log 2>/dev/null | sort -rh | head -n 5'

# Images that no container uses, and the file.
npx skyfleet exec --node "$node" 'sudo docker image prune --all --force >/dev/null'
npx skyfleet exec --node "$node" sudo rm "$file"

# A new report takes the mark of the fault away.
npx skyfleet exec --node "$node" sudo health-check.sh
npx skyfleet drift
