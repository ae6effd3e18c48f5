#!/usr/bin/env python3
"""Writes the identity of this node's sensor (identity.json), the same bytes for the same input.

Sensor numbers run from 0 to 999,999 and stand for the sensor ids one to one: number n is sensor n // 100 of city
n % 100. A place's number is its ordinal, so sensors of disjoint ordinals can never share an id. An instance's
number is drawn by hash from its instance id, so two instances can (docs/node.md tells how often).
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any, Dict, NamedTuple, Sequence, TypeVar

import atomic_file
import imds
import node_settings
from us_cities import CITIES, City

NUMBERS_PER_CITY = 10_000
SENSOR_NUMBERS = len(CITIES) * NUMBERS_PER_CITY

# Cities are given to within this many degrees, about a kilometre, so that sensors of one city do not coincide.
COORDINATE_SPREAD = 0.01


class Maker(NamedTuple):
    name: str
    models: Sequence[str]


MAKERS = (
    Maker("AcmeSensors", ("EnviroPro-3000", "WeatherSense-XL", "AirQuality-Plus")),
    Maker("EcoTech", ("EcoSensor-Pro", "ClimateTracker-500", "GreenMonitor-2")),
    Maker("WeatherFlow", ("Tempest-Pro", "SkyTracker-7", "StormWatch-3D")),
    Maker("SensorMax", ("MaxObserver-4K", "UltraSense-Pro", "PrecisionEnv-8")),
    Maker("DataLogger", ("EnviroLogger-360", "ClimateScope-Pro", "AirData-Plus")),
)
DEPLOYMENT_TYPES = ("rooftop", "street_pole", "ground_station", "mobile_unit")
FIRST_MANUFACTURE = datetime.date(2019, 1, 1)
MANUFACTURE_DAYS = 5 * 365
LONGEST_STORAGE_DAYS = 365

_Choice = TypeVar("_Choice")


class Draws:
    """Independent draws from one seed: each label has a stream of its own, so no value follows from another."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def below(self, label: str, limit: int) -> int:
        # 16 bytes for at most a few million outcomes: the bias of the remainder is beyond measuring.
        digest = hashlib.sha256(f"{self._seed}/{label}".encode("utf-8")).digest()
        return int.from_bytes(digest[:16], "big") % limit

    def choice(self, label: str, values: Sequence[_Choice]) -> _Choice:
        return values[self.below(label, len(values))]

    def hexadecimal(self, label: str, digits: int) -> str:
        return f"{self.below(label, 16**digits):0{digits}X}"


def sensor_city(number: int) -> City:
    return CITIES[number % len(CITIES)]


def sensor_id(number: int) -> str:
    """The id of sensor `number`: a bijection from 0..SENSOR_NUMBERS-1, as no two cities share state and code."""
    if not 0 <= number < SENSOR_NUMBERS:
        raise ValueError(f"sensor number {number} must be between 0 and {SENSOR_NUMBERS - 1}")
    city = sensor_city(number)
    return f"SENSOR_{city.state}_{city.code}_{number // len(CITIES):04d}"


def number_of_instance(instance_id: str) -> int:
    digest = hashlib.sha256(f"instance/{instance_id}".encode("utf-8")).digest()
    return int.from_bytes(digest[:16], "big") % SENSOR_NUMBERS


def identity(number: int, key: str, holder: str) -> Dict[str, Any]:
    """The identity of sensor `number`.

    `key` is what every other field is drawn from. `holder` is who carries the identity: the instance's id, or the
    place's full name where the identity outlives the instance.
    """
    seed = hashlib.sha256(key.encode("utf-8")).hexdigest()
    draws = Draws(seed)
    city = sensor_city(number)
    maker = draws.choice("maker", MAKERS)
    manufactured = FIRST_MANUFACTURE + datetime.timedelta(days=draws.below("manufacture", MANUFACTURE_DAYS))
    installed = manufactured + datetime.timedelta(days=1 + draws.below("storage", LONGEST_STORAGE_DAYS))
    issued = datetime.datetime.combine(installed, datetime.time(tzinfo=datetime.timezone.utc)) + datetime.timedelta(
        seconds=draws.below("issue", 86_400)
    )

    def spread(label: str) -> float:
        return (draws.below(label, 2_000_001) / 1_000_000 - 1) * COORDINATE_SPREAD

    return {
        "sensor_id": sensor_id(number),
        "location": {
            "city": city.name,
            "state": city.state,
            "coordinates": {
                "latitude": round(city.latitude + spread("latitude"), 6),
                "longitude": round(city.longitude + spread("longitude"), 6),
            },
            "timezone": city.timezone,
            "address": f"{city.name}, {city.state}, USA",
        },
        "device_info": {
            "manufacturer": maker.name,
            "model": draws.choice("model", maker.models),
            # The sensor image takes semantic versions only.
            "firmware_version": ".".join(
                [str(1 + draws.below("major", 5)), str(draws.below("minor", 20)), str(draws.below("patch", 50))]
            ),
            "serial_number": f"SN-{draws.hexadecimal('serial', 12)}",
            "manufacture_date": manufactured.isoformat(),
        },
        "deployment": {
            "deployment_type": draws.choice("deployment", DEPLOYMENT_TYPES),
            "installation_date": installed.isoformat(),
            "height_meters": (20 + draws.below("height", 481)) / 10,
            "orientation_degrees": draws.below("orientation", 360),
        },
        "metadata": {
            "instance_id": holder,
            "identity_generation_timestamp": issued.isoformat(),
            "generation_seed": seed,
            "sensor_type": "environmental_monitoring",
        },
    }


def identity_of_place(settings: Dict[str, Any], ordinal: int) -> Dict[str, Any]:
    allowed = settings["identity"]["range"]
    if not allowed["first"] <= ordinal <= allowed["last"]:
        raise ValueError(f"ordinal {ordinal} must lie within identity.range, {allowed['first']} to {allowed['last']}")
    return identity(ordinal, f"sensor/{ordinal}", f"{settings['stack']}/{settings['fleet']}/{ordinal}")


def identity_of_instance(instance_id: str) -> Dict[str, Any]:
    return identity(number_of_instance(instance_id), f"instance/{instance_id}", instance_id)


def instance_id() -> str:
    """INSTANCE_ID, else what the metadata service says; there is no identity without one."""
    return os.environ.get("INSTANCE_ID") or imds.Session().need("meta-data/instance-id")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--settings", type=Path, required=True, help="node.json")
    parser.add_argument("--ordinal", type=int, help="ordinal of this node, where the identity belongs to the place")
    parser.add_argument("--output", type=Path, help="also write the identity to this file")
    options = parser.parse_args(arguments)
    try:
        settings = node_settings.load(options.settings)
        if settings["identity"]["from"] == "instance":
            made = identity_of_instance(instance_id())
        elif options.ordinal is None:
            raise ValueError("--ordinal is missing: node.json says identity.from is place")
        else:
            made = identity_of_place(settings, options.ordinal)
    except (ValueError, imds.ImdsError) as error:
        print(f"generate_node_identity: {error}", file=sys.stderr)
        return 1
    text = json.dumps(made, indent=2) + "\n"
    if options.output:
        atomic_file.write(options.output, text)
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
