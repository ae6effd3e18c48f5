import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bacalhauImage, engineSeedKey, instanceImageKey, type NodeImage } from '../../../local/aws/image';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skyfleet-aws-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function sensorImage(source: string): NodeImage {
  const file = join(folder, 'sensor.py');
  writeFileSync(file, source);
  return { name: 'sensor:v1', containerfile: file, context: folder, inputs: [file] };
}

test('the instance image depends on the environment that SkyPilot is run from', () => {
  expect(instanceImageKey('/cache/python-1/bin/python')).toMatch(/^instance-[0-9a-f]{12}$/);
  expect(instanceImageKey('/cache/python-1/bin/python')).toBe(instanceImageKey('/cache/python-1/bin/python'));
  expect(instanceImageKey('/cache/python-1/bin/python')).not.toBe(
    instanceImageKey('/cache/python-2/bin/python'),
  );
});

test('a changed line of a node image changes the seed of the engine and not the instance image', () => {
  const key = engineSeedKey('instance-1', [sensorImage('print(1)')]);
  expect(key).toMatch(/^engine-[0-9a-f]{12}$/);
  expect(engineSeedKey('instance-1', [sensorImage('print(2)')])).not.toBe(key);
  expect(engineSeedKey('instance-1', [sensorImage('print(1)')])).toBe(key);
  expect(engineSeedKey('instance-2', [sensorImage('print(1)')])).not.toBe(key);
});

test('another name or build argument is another seed', () => {
  const image = sensorImage('print(1)');
  const keys = [image, { ...image, name: 'sensor:v2' }, { ...image, buildArgs: { BASE: 'x' } }].map((one) =>
    engineSeedKey('instance-1', [one]),
  );
  expect(new Set(keys).size).toBe(3);
});

test("Bacalhau's image has the name that compose files ask for", () => {
  const image = bacalhauImage('/cache/bacalhau-1.9.0/bacalhau', '1.9.0');
  expect(image.name).toBe('ghcr.io/bacalhau-project/bacalhau:v1.9.0');
  expect(image.context).toBe('/cache/bacalhau-1.9.0');
});
