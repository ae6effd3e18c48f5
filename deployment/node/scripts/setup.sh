#!/bin/sh
# Setup part of a node: installs what is missing, and nothing else. Docker and compose come from the distribution's own
# packages, and only where there is no engine and no compose yet.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
export DEBIAN_FRONTEND=noninteractive
# A fresh machine runs package jobs of its own; wait for them instead of failing.
lock_wait='DPkg::Lock::Timeout=300'
lists_updated=''

say() {
  echo "skyfleet setup: $*" >&2
}

update_lists() {
  [ -n "$lists_updated" ] || apt-get -qq -o "$lock_wait" update
  lists_updated=yes
}

install() {
  update_lists
  say "installing $*"
  apt-get -qq -y -o "$lock_wait" --no-install-recommends install "$@" >/dev/null
}

have_compose() {
  docker compose version >/dev/null 2>&1 || docker-compose version >/dev/null 2>&1
}

# Ubuntu ships compose 2 as docker-compose-v2; Debian 12 has 1.29 only.
compose_package() {
  if apt-cache show docker-compose-v2 >/dev/null 2>&1; then
    echo docker-compose-v2
  else
    echo docker-compose
  fi
}

command -v python3 >/dev/null || install python3
command -v iptables >/dev/null || install iptables
command -v cron >/dev/null || install cron
command -v docker >/dev/null || install docker.io
have_compose || {
  update_lists
  install "$(compose_package)"
  have_compose || {
    say 'neither "docker compose" nor "docker-compose" works, although one was installed'
    exit 1
  }
}

# Without systemd, the machine's own start-up has to run cron and the container engine.
if [ -d /run/systemd/system ]; then
  systemctl enable --now --quiet cron
  if systemctl cat docker.service >/dev/null 2>&1; then
    systemctl enable --now --quiet docker
  fi
fi

PYTHONPATH=$here python3 -B -c 'import docker_api; docker_api.ping()' || {
  say 'the container engine does not answer on its socket; start it, or look at its log'
  exit 1
}
say 'done'
