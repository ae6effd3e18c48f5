#!/bin/sh
# Reviews the stacks that STACKS names as a JSON list, into a folder. Changes and findings are no failure here: `blocked`
# in $GITHUB_OUTPUT says whether the review blocks. Fails where the review itself does.
set -eu
out=$1
options=$(node -e 'for (const stack of JSON.parse(process.env.STACKS)) console.log("--stack " + stack)')
status=0
# Names of stacks have no spaces in them.
# shellcheck disable=SC2086
npx skyfleet review $options --out "$out" || status=$?
case $status in
  0 | 2) blocked=false ;;
  3) blocked=true ;;
  *) exit "$status" ;;
esac
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  echo "blocked=$blocked" >>"$GITHUB_OUTPUT"
fi
