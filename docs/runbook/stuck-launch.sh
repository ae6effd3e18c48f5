#!/bin/sh
# A launch does not get on: sh stuck-launch.sh
# Run it beside the create that waits, which ends once its launch is cancelled.
set -eu

# Instances that are there and that nobody has recorded are those of the launch. (Exit code 2: something was found.)
npx skyfleet nodes || [ $? -eq 2 ]

# SkyPilot's requests that have not ended; `create --verbose` has told the one of each place. Its log: sky api logs REQUEST
sky api status
request=$(curl --silent "${SKYPILOT_API_SERVER_ENDPOINT:-http://127.0.0.1:46580}/api/status?fields=request_id&fields=name" |
  node -pe 'JSON.parse(require("fs").readFileSync(0)).find(({ name }) => name === "sky.launch").request_id')
sky api cancel "$request"

# A machine that does not answer would be taken for the next launch, too: let SkyPilot end its cluster.
cluster=$(npx skyfleet nodes --json | node -pe \
  'JSON.parse(require("fs").readFileSync(0)).find(({ node }) => node === null).incarnation')
sky down --yes "$cluster"

npx skyfleet create --yes
npx skyfleet nodes
