#!/bin/sh
# SkyPilot's server refuses the login: sh expired-login.sh TOKEN_FILE
# TOKEN_FILE holds a new service account token, made on the server's dashboard.
set -eu
token_file=$1
config=${SKYFLEET_CONFIG_FILE:+--config-file "$SKYFLEET_CONFIG_FILE"}

# A preview says that it cannot know what is there; a create refuses. Nodes are not concerned.
npx skyfleet review || [ $? -eq 2 ]
npx skyfleet nodes || echo "exit code $?"

# shellcheck disable=SC2086
pulumi config set --secret skyfleet:skypilotToken $config <"$token_file"
npx skyfleet create --yes
npx skyfleet nodes
