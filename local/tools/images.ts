import { readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import {
  bacalhauImage,
  buildEngineSeed,
  buildInstanceImage,
  engineSeedKey,
  INSTANCE_IMAGE,
  instanceImageKey,
  PYTHON_BASE,
  type NodeImage,
} from '../aws/image';
import { CHECKOUT } from '../rig/paths';
import { cached, inputsHash } from './cache';
import { BACALHAU, goToolVersion } from './go';
import { reportStep } from './progress';

export interface Images {
  /** The image of the emulated account's instances. */
  instance: string;
  /** podman's storage that has it, used read-only. */
  store: string;
  /** SkyPilot's wheel by its hash, the same that the instances have. */
  wheels: string;
  /** What an instance's container engine starts with: the images that no node can pull here. */
  engineSeed: string;
}

const stackFile = z.object({
  config: z.object({ 'skyfleet:sensor': z.object({ image: z.string() }) }),
});

/** The name that the stack `local` has for the sensor's image. */
export function sensorImageName(
  stack: string = readFileSync(join(CHECKOUT, 'Pulumi.local.yaml'), 'utf8'),
): string {
  return stackFile.parse(parse(stack)).config['skyfleet:sensor'].image;
}

const SENSOR_FILES = [
  'local/sensor/Containerfile',
  'local/sensor/sensor.py',
  'deployment/node/scripts/imds.py',
  'deployment/node/scripts/s3.py',
];

/**
 * The stand-in for the sensor's image, under the name of the real one. It is built from a copy of its files in the
 * cache, because an image is told apart by where it is built from, and the same files in two checkouts are one image.
 */
async function sensorImage(root: string): Promise<NodeImage> {
  const context = await cached(
    root,
    `sensor-${inputsHash(SENSOR_FILES.map((file) => join(CHECKOUT, file)))}`,
    copyTo,
  );
  const inputs = SENSOR_FILES.map((file) => join(context, file));
  const containerfile = join(context, 'local/sensor/Containerfile');
  return { name: sensorImageName(), containerfile, context, buildArgs: { BASE: PYTHON_BASE }, inputs };
}

async function copyTo(folder: string): Promise<void> {
  for (const file of SENSOR_FILES) await cp(join(CHECKOUT, file), join(folder, file));
}

/** The machine image, which needs nothing but SkyPilot's environment. */
async function ensureInstanceImage(root: string, venv: string): Promise<{ key: string; folder: string }> {
  const key = instanceImageKey(venv);
  const folder = await cached(root, key, (partial) =>
    reportStep('building the machine image', () =>
      buildInstanceImage({ folder: partial, python: join(venv, 'bin', 'python') }),
    ),
  );
  return { key, folder };
}

/**
 * Makes the images that are not in the cache yet. The machine image is begun as soon as SkyPilot's environment is
 * there, beside the building of Bacalhau, which only the nodes' images wait for.
 */
export async function ensureImages(
  root: string,
  venv: Promise<string>,
  bacalhau: Promise<string>,
): Promise<Images> {
  const instance = await ensureInstanceImage(root, await venv);
  const images = [bacalhauImage(await bacalhau, goToolVersion(BACALHAU)), await sensorImage(root)];
  const store = join(instance.folder, 'store');
  const engineSeed = await cached(root, engineSeedKey(instance.key, images), (partial) =>
    reportStep("building the nodes' images", () =>
      buildEngineSeed({ folder: partial, imageStore: store, images }),
    ),
  );
  return { instance: INSTANCE_IMAGE, store, wheels: join(instance.folder, 'wheels'), engineSeed };
}
