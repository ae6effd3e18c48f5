import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { toYaml } from '../../../deployment/operator/task';

const checkout = path.resolve(__dirname, '../../..');

/** How a command of the review ended. */
export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A step of a preview in which a resource does not change. */
const same = (type: string, name: string, inputs: Record<string, unknown>) => {
  const state = { urn: `urn:pulumi:dev::skyfleet::${type}::${name}`, type: type.split('$').at(-1), inputs };
  return { op: 'same', urn: state.urn, oldState: state, newState: state };
};

const reviewed = same('skyfleet:review:Reviewed$command:local:Command', 'x-reviewed', {
  environment: {
    SKYFLEET_STACK: 'organization/skyfleet/dev',
    SKYFLEET_GOVERNANCE: toYaml({ requiredTags: [], policy: {} }),
  },
});
const vpc = same('aws:ec2/vpc:Vpc', 'vpc', { tags: { 'skyfleet-stack': 'organization/skyfleet/dev' } });
const untagged = same('aws:ec2/vpc:Vpc', 'vpc', { tags: {} });

/** What `pulumi preview --json` prints of a stack in which nothing changes, or a VPC does, or a VPC that is not allowed. */
export const previews = {
  unchanged: { steps: [reviewed, vpc] },
  changed: { steps: [reviewed, { ...vpc, op: 'update', detailedDiff: { 'tags.team': {} } }] },
  blocked: { steps: [reviewed, { ...untagged, op: 'update', detailedDiff: { 'tags.team': {} } }] },
};

/** What is saved as the plan of any stack. */
export const savedPlan = JSON.stringify({
  resourcePlans: {
    'urn:pulumi:us::skyfleet::pulumi:pulumi:Stack::skyfleet-us': {
      goal: { custom: false, outputDiff: { updates: { nodes: [], reviewOverride: 'the last one' } } },
    },
  },
});

/**
 * Puts a `pulumi` into a folder that prints a preview for each stack, saves a plan where it is asked to, and writes down
 * how `up` was called: `up.txt` holds its arguments, the plan and the override.
 */
export function putPulumi(folder: string, stacks: Record<string, unknown>): void {
  for (const [stack, preview] of Object.entries(stacks)) {
    fs.writeFileSync(path.join(folder, `${stack}.json`), JSON.stringify(preview));
  }
  const listed = JSON.stringify(Object.keys(stacks).map((name) => ({ name, current: false })));
  const script = [
    '#!/bin/sh',
    'command=$1 of=$2 all="$*"',
    'while [ $# -gt 0 ]; do',
    `  case $1 in --stack) stack=$2 ;; --save-plan) echo '${savedPlan}' > "$2" ;; --plan) plan=$(cat "$2") ;; esac`,
    '  shift',
    'done',
    'case "$command $of" in',
    '  "version "*) echo v3.250.0 ;;',
    `  "stack ls") echo '${listed}' ;;`,
    `  "stack output") printf '{"reviewOverride": %s}' "$(cat "${folder}/kept.json")" ;;`,
    '  "stack history") echo "[]" ;;',
    `  "preview "*) cat "${folder}/$stack.json" ;;`,
    '  "up "*)',
    `    [ -n "$OUTPUTS_ARE_LOST" ] || printf '%s' "\${SKYFLEET_OVERRIDE:-null}" > "${folder}/kept.json"`,
    `    printf '%s\\n' "$all" "$plan" "$SKYFLEET_OVERRIDE" > "${folder}/up.txt"`,
    '    if [ -n "$UP_FAILS" ]; then echo "error: the zone is full" >&2; exit 255; fi ;;',
    'esac',
  ].join('\n');
  fs.writeFileSync(path.join(folder, 'kept.json'), 'null');
  fs.writeFileSync(path.join(folder, 'pulumi'), `${script}\n`, { mode: 0o755 });
}

/** Runs a command of the review with such a `pulumi` on PATH. */
export function runReview(
  folder: string,
  command: 'review' | 'create' | 'repair',
  stacks: Record<string, unknown>,
  ...args: string[]
): Ended {
  putPulumi(folder, stacks);
  return spawnSync(process.execPath, ['bin/skyfleet.mjs', command, ...args], {
    cwd: checkout,
    // A home without a catalog.
    env: { ...process.env, HOME: folder, PATH: `${folder}:${process.env['PATH'] ?? ''}` },
    encoding: 'utf8',
  });
}
