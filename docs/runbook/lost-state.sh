#!/bin/sh
# Pulumi's state of the stack is lost, or older than what stands: sh lost-state.sh STACK BACKUP
# BACKUP is the newest state that there is: a version of the object in the bucket of the backend, a file of
# .pulumi/backups, or what `pulumi stack export --file` has written.
set -eu
stack=$1
backup=$2

# Where the stack files are, which this writes to.
(cd "$(dirname "${SKYFLEET_CONFIG_FILE:-./Pulumi.yaml}")" && pulumi stack select --create "$stack")
pulumi stack import --file "$backup"

# What AWS has of the stack, and the backup does not know: exit code 3 where there is any, with the commands that import
# or delete it. Clusters that SkyPilot knows are taken over by the next create.
npx skyfleet recover || [ $? -eq 3 ]

# Import what can be imported, by the commands that were printed; what cannot be is deleted, and made again.
imports=$(mktemp)
npx skyfleet recover --json | node -pe 'JSON.parse(require("fs").readFileSync(0)).unrecorded
  .flatMap((found) => found.import ? [`${found.import} --yes --skip-preview --suppress-outputs`] : []).join("\n")' >"$imports"
sh -eux "$imports"
rm "$imports"
npx skyfleet recover --delete-unrecorded

npx skyfleet review || [ $? -eq 2 ]
npx skyfleet create --yes
npx skyfleet nodes
