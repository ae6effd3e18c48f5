#!/bin/sh
# Run part of a node: puts its files in place, starts or refreshes its services, waits until they are healthy, prints
# one SKYFLEET_NODE line and ends. May run again at any time: services whose files did not change are left alone.
#
# SKYFLEET_PHASE=standby does what can be done before the node has a place, and prints one SKYFLEET_STANDBY line.
# SKYFLEET_REPAIR=1 restarts services whose checks fail, changed or not.
set -eu
umask 022

# Everything but the one line at the end goes to stderr.
exec 3>&1 1>&2

shipped=$(cd "$(dirname "$0")/.." && pwd)
root=${SKYFLEET_NODE_ROOT:-}
lib=$root/usr/local/lib/skyfleet
state=$root/var/lib/skyfleet
healthy_within=${SKYFLEET_HEALTHY_WITHIN:-120}
phase=${SKYFLEET_PHASE:-full}

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

# The image of a service, which may have to be fetched.
fetch() {
  docker image inspect "$1" >/dev/null 2>&1 || docker pull "$1" || {
    echo "cannot fetch the image $1: does it exist, and may this node pull it?"
    exit 1
  }
}

case $phase in
full | standby) ;;
*)
  echo "skyfleet: SKYFLEET_PHASE is \"$phase\": must be full or standby"
  exit 2
  ;;
esac

begin 'wait for other runs'
mkdir -p "$state"
exec 9>"$state/run.lock"
flock -w 300 9 || {
  echo 'another run of this, or standing down, has been under way for 300 s'
  exit 1
}

if [ "$phase" = standby ]; then
  begin 'look for services that run'
  serving=$(python3 -B "$shipped/scripts/services.py")
  if [ -n "$serving" ]; then
    echo "skyfleet: nothing to prepare, since this node serves already: $serving"
    python3 -B "$shipped/scripts/show_node.py" --standby >&3
    exit 0
  fi
fi

begin 'put files in place'
mkdir -p "$lib" "$root/opt/bacalhau" "$root/etc/bacalhau/tls" "$root/var/lib/bacalhau" "$root/etc/cron.d" \
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

if [ "$phase" = standby ]; then
  begin "look for the orchestrator's token"
  run_python fetch_token.py --settings "$state/node.json" >/dev/null

  begin 'cut containers from the metadata service'
  sh "$lib/imds-guard.sh"

  begin 'fetch the images'
  images=$(run_python show_node.py --images)
  for image in $images; do
    fetch "$image"
  done

  begin 'reach an orchestrator'
  run_python orchestrator_reach.py --settings "$state/node.json"

  begin 'show the machine'
  run_python show_node.py --standby >&3
  exit 0
fi

begin 'claim a member of the place'
run_python claim_member.py --settings "$state/node.json" --output "$state/member.json"
# The place is this node's: whatever gave it up is withdrawn, and a marker of a fault may be another node's.
rm -f "$state/stood-down.json" "$state/draining.json" "$state/fault-free.json"

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

gate=$(run_python show_node.py --gate)
if [ "$gate" = yes ]; then
  # Before the compute node, which asks it about every job.
  begin 'start what answers for new work'
  run_python spot_notice.py --start
fi

if [ "${SKYFLEET_REPAIR:-}" = 1 ]; then
  # Before compose, which cannot start a service that is paused.
  begin 'restart services whose checks fail'
  run_python health_check.py --repair
fi

begin 'start the sensor'
(cd "$root/opt/sensor" && compose up -d --remove-orphans)

begin 'give the compute node its name'
run_python bacalhau_name.py

begin 'start the compute node'
(cd "$root/opt/bacalhau" && compose up -d --remove-orphans)

if [ "$gate" = no ] && [ -e "$state/spot-notice.lock" ]; then
  # After the compute node, which asks it no more.
  begin 'end what answered for new work'
  run_python spot_notice.py --stop
fi

begin 'install what runs regularly'
cat >"$root/etc/cron.d/.skyfleet.new" <<'CRON'
# Checks this node every five minutes; reports are in /var/lib/skyfleet and in the bucket.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
*/5 * * * * root /usr/local/bin/health-check.sh --quiet >/dev/null 2>&1
CRON
if [ "$gate" = yes ]; then
  cat >>"$root/etc/cron.d/.skyfleet.new" <<'CRON'
# Starts what answers for new work, and polls for spot notices, where it does not run: at boot, and whatever ended it.
@reboot root python3 -B /usr/local/lib/skyfleet/spot_notice.py --start >/dev/null 2>&1
* * * * * root python3 -B /usr/local/lib/skyfleet/spot_notice.py --start >/dev/null 2>&1
CRON
fi
mv -f "$root/etc/cron.d/.skyfleet.new" "$root/etc/cron.d/skyfleet"

begin "wait until healthy, ${healthy_within} s at most"
run_python health_check.py --wait "$healthy_within"

begin 'show the node'
run_python show_node.py >&3
