"""An AWS account on one machine: moto for the APIs, podman containers for the EC2 instances."""
