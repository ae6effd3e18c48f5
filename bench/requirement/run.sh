#!/bin/sh
# The run part of that task, as it was, but for the compose that is there: it said `docker compose`.
set -e

cd /opt/bacalhau && sudo docker-compose up -d
cd /opt/sensor && sudo docker-compose up -d

sleep 10
sudo docker ps
echo 'Deployment complete!'
