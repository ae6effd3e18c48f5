#!/bin/sh
# What systemd and cloud-init do on a cloud machine. Everything about this machine comes from the metadata service.
set -eu
metadata=http://169.254.169.254/latest
seed=/var/lib/skyfleet-instance/engine
state=/var/lib/cloud/instance

say() { echo "boot: $*" >&2; }

get() { curl -fsS -H "X-aws-ec2-metadata-token: $token" "$metadata/$1"; }

token=$(curl -fsS --retry 20 --retry-delay 1 --retry-all-errors -X PUT \
  -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$metadata/api/token")

# EC2 translates a public address to the private one; here the machine simply owns both.
if public=$(get meta-data/public-ipv4 2>/dev/null); then ip address add "$public/32" dev eth0; fi

mkdir -p /run/sshd /run/lock "$state"
ssh-keygen -A >/dev/null
say "host keys ready"

# The engine has the images that cannot be pulled from here before it first starts.
if [ -d "$seed" ] && [ ! -e /var/lib/docker/image ]; then cp -a "$seed/." /var/lib/docker/; fi

# A previous run's pid file would keep dockerd from starting after a stop and start of the instance.
rm -f /var/run/docker.pid /var/run/docker/containerd/containerd.pid
(
  while :; do
    dockerd >>/var/log/dockerd.log 2>&1 || say "dockerd ended with $?"
    sleep 1
  done
) &

tries=0
until docker version >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 150 ]; then say "dockerd does not answer, see /var/log/dockerd.log"; exit 1; fi
  sleep 0.2
done
say "dockerd answers"

if [ ! -e "$state/boot-finished" ]; then
  if get user-data >"$state/user-data.txt" 2>/dev/null; then
    python3 /usr/local/lib/skyfleet-instance/cloud_init.py <"$state/user-data.txt" >>/var/log/cloud-init.log 2>&1
  fi
  : >"$state/boot-finished"
fi

cron
say "ready for SSH"
exec /usr/sbin/sshd -D -e
