#!/usr/bin/env python3
"""Writes Bacalhau's configuration as that task did, in the layout of Bacalhau 1.5 and later, with which it connects."""

import os
import sys

import yaml


def generate_config():
    endpoint_file = "/etc/bacalhau/orchestrator_endpoint"
    token_file = "/etc/bacalhau/orchestrator_token"

    if not os.path.exists(endpoint_file):
        print("Warning: orchestrator_endpoint file not found")
        return False

    with open(endpoint_file) as file:
        endpoint = file.read().strip()

    token = ""
    if os.path.exists(token_file):
        with open(token_file) as file:
            token = file.read().strip()

    config = {
        "DataDir": "/var/lib/bacalhau",
        "Orchestrator": {"Enabled": False},
        "Compute": {"Enabled": True, "Orchestrators": [endpoint], "Auth": {"Token": token}},
    }

    with open("/etc/bacalhau/config.yaml", "w") as file:
        yaml.dump(config, file)

    print("Generated /etc/bacalhau/config.yaml")
    return True


if __name__ == "__main__":
    sys.exit(0 if generate_config() else 1)
