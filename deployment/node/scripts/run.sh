#!/bin/sh
# Run part of a node: puts its files in place, starts or refreshes its services, waits until they are healthy, prints
# one SKYFLEET_NODE line and ends. May run again at any time: services whose files did not change are left alone.
set -eu
umask 022

# Everything but the one line at the end goes to stderr.
exec 3>&1 1>&2

shipped=$(cd "$(dirname "$0")/.." && pwd)
root=${SKYFLEET_NODE_ROOT:-}
lib=$root/usr/local/lib/skyfleet
state=$root/var/lib/skyfleet
healthy_within=${SKYFLEET_HEALTHY_WITHIN:-120}

step='start'
finish() {
  code=$?
  [ "$code" -eq 0 ] || echo "skyfleet: step \"$step\" failed (exit code $code); the lines above say why"
}
trap finish EXIT

begin() {
  step=$1
  echo "skyfleet: $step"
}

# Replaces a file whole, and only if it differs.
place() {
  if ! cmp -s "$1" "$2" || [ "$(stat -c %a "$2")" != "$3" ]; then
    install -D -m "$3" "$1" "$2.new"
    mv -f "$2.new" "$2"
  fi
}

run_python() {
  script=$1
  shift
  python3 -B "$lib/$script" "$@"
}

compose() {
  if docker compose version >/dev/null 2>&1; then
    docker compose "$@"
  else
    docker-compose "$@"
  fi
}

begin 'put files in place'
mkdir -p "$lib" "$state" "$root/opt/bacalhau" "$root/etc/bacalhau/tls" "$root/var/lib/bacalhau" "$root/etc/cron.d" \
  "$root/usr/local/bin" "$root/opt/sensor/config" "$root/opt/sensor/data" "$root/opt/sensor/logs" \
  "$root/opt/sensor/exports"
for script in "$shipped"/scripts/*; do
  [ ! -f "$script" ] || place "$script" "$lib/${script##*/}" 755
done
place "$shipped/node.json" "$state/node.json" 644
place "$shipped/bacalhau/docker-compose.yml" "$root/opt/bacalhau/docker-compose.yml" 644
place "$shipped/sensor/docker-compose.yml" "$root/opt/sensor/docker-compose.yml" 644
place "$shipped/sensor/sensor-config.yaml" "$root/opt/sensor/config/sensor-config.yaml" 644
place "$shipped/scripts/newest_row.py" "$root/opt/sensor/config/newest_row.py" 644
ln -sfn /usr/local/lib/skyfleet/health-check.sh "$root/usr/local/bin/health-check.sh"

begin 'look for GPUs'
run_python gpus.py --settings "$state/node.json"

begin 'claim a member of the place'
run_python claim_member.py --settings "$state/node.json" --output "$state/member.json"

begin 'write the identity'
run_python generate_node_identity.py --settings "$state/node.json" \
  --ordinal "$(run_python show_node.py --field ordinal)" --output "$root/opt/sensor/config/identity.json" >/dev/null

begin "write Bacalhau's configuration"
run_python generate_bacalhau_config.py --settings "$state/node.json" --member "$state/member.json" \
  --identity "$root/opt/sensor/config/identity.json" --output "$root/etc/bacalhau/config.yaml" \
  --ca-output "$root/etc/bacalhau/tls/ca.crt"

begin 'write the files of the services'
token=$(run_python fetch_token.py --settings "$state/node.json")
BACALHAU_COMPUTE_AUTH_TOKEN=$token python3 -B "$lib/write_service_files.py" \
  --settings "$state/node.json" --member "$state/member.json"
unset token

begin 'cut containers from the metadata service'
sh "$lib/imds-guard.sh"

life_cycle=$(run_python show_node.py --field lifeCycle)
if [ "$life_cycle" = spot ]; then
  # Before the compute node, which asks it about every job.
  begin 'start the poller of spot notices'
  run_python spot_notice.py --start
fi

begin 'start the sensor'
(cd "$root/opt/sensor" && compose up -d --remove-orphans)

begin 'start the compute node'
(cd "$root/opt/bacalhau" && compose up -d --remove-orphans)

begin 'install what runs regularly'
cat >"$root/etc/cron.d/.skyfleet.new" <<'CRON'
# Checks this node every five minutes; reports are in /var/lib/skyfleet and in the bucket.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
*/5 * * * * root /usr/local/bin/health-check.sh --quiet >/dev/null 2>&1
CRON
if [ "$life_cycle" = spot ]; then
  cat >>"$root/etc/cron.d/.skyfleet.new" <<'CRON'
# Starts the poller of spot notices where it does not run: at boot, and whatever ended it.
@reboot root python3 -B /usr/local/lib/skyfleet/spot_notice.py --start >/dev/null 2>&1
* * * * * root python3 -B /usr/local/lib/skyfleet/spot_notice.py --start >/dev/null 2>&1
CRON
fi
mv -f "$root/etc/cron.d/.skyfleet.new" "$root/etc/cron.d/skyfleet"

begin "wait until healthy, ${healthy_within} s at most"
run_python health_check.py --wait "$healthy_within"

begin 'show the node'
run_python show_node.py >&3
