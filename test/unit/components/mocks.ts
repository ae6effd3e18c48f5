import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as pulumi from '@pulumi/pulumi';

/** A resource as the program registered it. */
export interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/** What a real provider would compute; everything else comes back as it was given. */
function outputsOf({ type, name, inputs }: pulumi.runtime.MockResourceArgs): Record<string, unknown> {
  const given = inputs as Record<string, unknown>;
  if (type === 'command:local:Command') return { ...given, stdout: printed(name) };
  return {
    ...given,
    arn: `arn:aws:mock:::${name}`,
    bucket: `${name}-1234567`,
    name: given['name'] ?? `${name}-1234567`,
    allocationId: `${name}-allocation`,
  };
}

/** The key of fingerprints, as its command prints it. */
export const printedKey = 'a key of fingerprints';

/** What a command prints. */
function printed(name: string): string {
  if (name.endsWith('-fingerprint-key')) return printedKey;
  if (name.endsWith('-skypilot')) return '{"mark":"m"}';
  return JSON.stringify(
    name.endsWith('-submit')
      ? { incarnation: `${name}-inc`, requestId: 'r', retiring: [] }
      : { incarnation: name, nodes: [{ nodeName: name, ordinal: 0 }] },
  );
}

/** A `pulumi` on the PATH of this process that has recorded nothing of any stack. */
function withoutRecordedState(): void {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-pulumi-'));
  fs.writeFileSync(path.join(folder, 'pulumi'), '#!/bin/sh\necho "{}"\n', { mode: 0o755 });
  process.env['PATH'] = `${folder}:${process.env['PATH'] ?? ''}`;
  process.once('exit', () => fs.rmSync(folder, { recursive: true }));
}

withoutRecordedState();

/**
 * Lets Pulumi run without an engine, as stack `organization/skyfleet/dev`.
 *
 * @param stackOutputs outputs of the stack that the program refers to, and the names of those that are secret.
 * @returns what is registered from now on.
 */
export async function mockPulumi(
  stackOutputs: { outputs: Record<string, unknown>; secretOutputNames: string[] } = {
    outputs: {},
    secretOutputNames: [],
  },
): Promise<Registered[]> {
  const registered: Registered[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: (args) => {
        registered.push({ type: args.type, name: args.name, inputs: args.inputs as Record<string, unknown> });
        const state = args.type === 'pulumi:pulumi:StackReference' ? stackOutputs : outputsOf(args);
        return { id: `${args.name}-id`, state };
      },
      call: (args) => args.inputs as Record<string, unknown>,
    },
    'skyfleet',
    'dev',
    false,
    'organization',
  );
  return registered;
}

/** Sets the configuration of the stack; every key of `secrets` counts as encrypted. */
export function setConfig(
  region: string,
  values: Record<string, unknown>,
  secrets: Record<string, string>,
): void {
  pulumi.runtime.setAllConfig({
    'aws:region': region,
    ...Object.fromEntries(
      Object.entries(values).map(([key, value]) => [`skyfleet:${key}`, JSON.stringify(value)]),
    ),
    ...Object.fromEntries(Object.entries(secrets).map(([key, value]) => [`skyfleet:${key}`, value])),
  });
  process.env['PULUMI_CONFIG_SECRET_KEYS'] = JSON.stringify(
    Object.keys(secrets).map((key) => `skyfleet:${key}`),
  );
}
