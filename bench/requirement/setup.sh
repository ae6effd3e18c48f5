#!/bin/sh
# The setup part of the task that fleets were deployed with before Skyfleet, on a node that has what it downloads: each
# line as it was, but for those with a comment. The files of the task are in /tmp/deploy.
set -e

# Was: apt-get update; apt-get install -y python3 python3-pip ec2-metadata. The lists are what is downloaded.
sudo apt-get install -y python3

# Was: curl -fsSL https://get.docker.com | sudo sh. Where there is a Docker, that script warns and waits for 20 s
# before it installs another (install.sh of github.com/docker/docker-install, at commit 0095742). Only the wait is left.
sleep "${DOCKER_SCRIPT_SECONDS:-20}"
sudo usermod -aG docker "$USER"

# Was: apt-get install -y docker-compose-plugin. The compose that is there is the distribution's.
sudo apt-get install -y docker-compose

sudo mkdir -p /etc/bacalhau /opt/bacalhau /opt/sensor/config /opt/sensor/data

sudo cp /tmp/deploy/etc/bacalhau/* /etc/bacalhau/
sudo cp /tmp/deploy/opt/bacalhau/* /opt/bacalhau/
sudo cp -r /tmp/deploy/opt/sensor/* /opt/sensor/
sudo cp /tmp/deploy/scripts/* /usr/local/bin/
sudo chmod +x /usr/local/bin/*.py

sudo python3 /usr/local/bin/generate_bacalhau_config.py

# Left out: the node's identity, made by a program that the task does not hold. It is among the files.
