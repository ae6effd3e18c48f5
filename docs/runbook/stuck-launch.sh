#!/bin/sh
# A launch does not get on: sh stuck-launch.sh PLACE
# Run it beside the create that waits, which fails once its launch is ended.
set -eu
place=$1

# Instances that are there and that nobody has recorded are those of launches. (Exit code 2: something was found.)
npx skyfleet nodes || [ $? -eq 2 ]
cluster=$(npx skyfleet nodes --json | node -pe \
  'JSON.parse(require("fs").readFileSync(0)).find((one) => one.place === process.argv[1] && one.node === null).incarnation' "$place")

# SkyPilot's request that launches it, which `create --verbose` has told, too, and what it is at.
server=${SKYPILOT_API_SERVER_ENDPOINT:-http://127.0.0.1:46580}
request=$(curl --silent "$server/api/status?fields=request_id&fields=name&fields=cluster_name" | node -pe \
  'JSON.parse(require("fs").readFileSync(0)).find((one) => one.name === "sky.launch" && one.cluster_name === process.argv[1]).request_id' "$cluster")
sky api logs --no-follow --tail 5 "$request"

# Ends the request, and the machine, which the next launch would take for its own. (`sky api cancel` leaves requests alone
# that another user has made, and those of a stack are made by a user of its own.)
sky down --yes "$cluster"

npx skyfleet create --yes
npx skyfleet nodes
