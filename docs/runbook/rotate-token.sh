#!/bin/sh
# Rotates the orchestrator's token: sh rotate-token.sh TOKEN_FILE RESTART
# RESTART is the command that restarts your orchestrator with the token in TOKEN_FILE.
set -eu
token_file=$1
restart=$2
config=${SKYFLEET_CONFIG_FILE:+--config-file "$SKYFLEET_CONFIG_FILE"}

# First the stack, so that the gap is no longer than it must be.
# shellcheck disable=SC2086
pulumi config set --secret skyfleet:orchestratorToken $config <"$token_file"
npx skyfleet review || [ $? -eq 2 ]

# From here on nodes are refused, until they have the new token.
sh -c "$restart"
begun=$(date +%s)
npx skyfleet create --yes
echo "every node is connected again $(($(date +%s) - begun)) s after the orchestrator came back"
npx skyfleet nodes
