#!/bin/sh
# The run part of that task, as it was.
set -e

cd /opt/bacalhau && sudo docker-compose up -d
cd /opt/sensor && sudo docker-compose up -d

sleep 10
sudo docker ps
echo 'Deployment complete!'
