import * as path from 'node:path';
import { credentialFiles } from './credentials';
import type { Entry } from './reading';

/** What takes the place of a file that the wrapper mounts, by the name of the file. */
const replacements: readonly [RegExp, string][] = [
  [/compose.*\.ya?ml$/, "Skyfleet's compose files (deployment/node/)"],
  [/identity/, 'the identity is made from the ordinal of the place (docs/node.md)'],
  [/bacalhau-config|bacalhau_config/, "the node makes Bacalhau's configuration and checks it (docs/node.md)"],
  [/sensor-config/, "Skyfleet's configuration of the sensor (deployment/node/sensor/)"],
  [/health/, 'a health check every five minutes, whose reports go to the bucket (docs/node.md)'],
];

/** What becomes of each file mount, and the local files among them. */
export function mountEntries(mounts: Readonly<Record<string, unknown>>): {
  entries: Entry[];
  sources: string[];
} {
  const local = Object.values(mounts).filter((source): source is string => typeof source === 'string');
  return {
    sources: local,
    entries: Object.entries(mounts).map(([target, source]): Entry => {
      const key = `file_mounts.${target}`;
      const name = path.posix.basename(typeof source === 'string' ? source : target);
      if (name === credentialFiles.endpoint) {
        return { key, outcome: 'changed', to: 'skyfleet:orchestrator.endpoints', why: 'what stands in it' };
      }
      if (name === credentialFiles.token) {
        return {
          key,
          outcome: 'changed',
          to: 'skyfleet:orchestratorToken',
          why: 'a Pulumi secret, which nodes fetch encrypted',
        };
      }
      if (/credentials/.test(name)) return { key, outcome: 'none', why: awsCredentialsWhy };
      const replacement = replacements.find(([pattern]) => pattern.test(name))?.[1];
      return {
        key,
        outcome: 'none',
        why: replacement ?? 'only what is in deployment/node/ is shipped to nodes',
      };
    }),
  };
}

/** Why no AWS key is taken over. */
export const awsCredentialsWhy =
  'nodes use a role of the stack, and need no AWS key; delete this one in IAM after the cut-over';
