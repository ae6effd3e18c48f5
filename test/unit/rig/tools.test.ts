import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BACALHAU,
  goToolVersion,
  PULUMI,
  PULUMI_LANGUAGE_NODEJS,
  requiredVersion,
} from '../../../local/tools/go';
import { ensureOnHost, findCommand } from '../../../local/tools/host';
import { sensorImageName } from '../../../local/tools/images';
import { isAtLeast } from '../../../local/tools/pulumi';
import { CHECKOUT } from '../../../local/rig/paths';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'skyfleet-tools-'))));
afterEach(() => rmSync(folder, { recursive: true }));

describe('Go tools', () => {
  test('the version is the one that go.mod requires, in a line or in a block', () => {
    expect(requiredVersion('module m\n\nrequire example.com/a v1.2.3\n', 'example.com/a')).toBe('1.2.3');
    expect(
      requiredVersion('require (\n\texample.com/a/v2 v2.0.0\n\texample.com/a v1.2.3\n)', 'example.com/a'),
    ).toBe('1.2.3');
    expect(() => requiredVersion('module m\n', 'example.com/a')).toThrow('example.com/a');
  });

  test('the CLI is of the version of the SDK that the program uses', () => {
    const sdk = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    expect(goToolVersion(PULUMI)).toBe(sdk.devDependencies['@pulumi/pulumi']);
  });

  test.each([PULUMI, PULUMI_LANGUAGE_NODEJS, BACALHAU])(
    '$name has a hash for every module that it is of',
    (tool) => {
      const sums = readFileSync(join(CHECKOUT, 'local', 'tools', tool.name, 'go.sum'), 'utf8');
      expect(sums).toContain(`${tool.module} v${goToolVersion(tool)} h1:`);
    },
  );
});

test('the images that are made for nodes are those that the stack asks for', () => {
  const schema = readFileSync(join(CHECKOUT, 'config', 'schema.ts'), 'utf8');
  expect(schema).toContain(`'ghcr.io/bacalhau-project/bacalhau:v${goToolVersion(BACALHAU)}'`);
  expect(sensorImageName()).toMatch(/^ghcr\.io\/bacalhau-project\/sensor-log-generator:\d/);
  expect(sensorImageName('config:\n  skyfleet:sensor:\n    image: example.com/sensor:2\n')).toBe(
    'example.com/sensor:2',
  );
});

test('every Python package is pinned by version and hash', () => {
  const lock = readFileSync(join(CHECKOUT, 'local', 'tools', 'requirements.lock'), 'utf8');
  const wanted = readFileSync(join(CHECKOUT, 'local', 'tools', 'requirements.in'), 'utf8')
    .trim()
    .split('\n');
  for (const requirement of wanted) expect(lock).toContain(requirement.replace(/\[.*\]/, ''));
  const pins = lock.split('\n').filter((line) => /^[a-z0-9]/i.test(line));
  for (const pin of pins) expect(pin).toMatch(/^[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+ (; .* )?\\$/);
  expect(lock.split('--hash=sha256:').length).toBeGreaterThan(pins.length);
});

test.each([
  ['v3.250.0', true],
  ['3.251.0', true],
  ['v4.0.0', true],
  ['v3.249.9', false],
  ['v3.99.0', false],
  ['', false],
  ['command not found', false],
])('an installed Pulumi that calls itself %j is new enough: %s', (version, expected) => {
  expect(isAtLeast(version, '3.250.0')).toBe(expected);
});

describe('what the host needs', () => {
  test('a command is found on PATH, or by its absolute path', () => {
    const tool = join(folder, 'some-tool');
    writeFileSync(tool, '#!/bin/sh\n');
    expect(findCommand('some-tool', { PATH: folder })).toBeUndefined();
    chmodSync(tool, 0o755);
    expect(findCommand('some-tool', { PATH: folder })).toBe(tool);
    expect(findCommand(tool, { PATH: '' })).toBe(tool);
  });

  test('what cannot be installed here is named, with the package that has it', async () => {
    const asUser = jest.spyOn(process, 'getuid').mockReturnValue(1000);
    try {
      const requirement = { name: 'some-tool', package: 'some-package', present: () => false };
      await expect(ensureOnHost([requirement])).rejects.toThrow(/some-tool.*some-package/);
    } finally {
      asUser.mockRestore();
    }
  });

  test('where everything is present nothing is installed', async () => {
    await expect(
      ensureOnHost([{ name: 'sh', package: 'dash', present: () => true }]),
    ).resolves.toBeUndefined();
  });
});
