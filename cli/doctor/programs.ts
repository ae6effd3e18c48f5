import { failed, ok, type Check } from './check';
import { atLeast, versionIn } from './version';

/** How a program answered when it was asked for its version: what it printed, or why it could not. */
export type Answer = { printed: string } | { problem: string };

/** Node.js against what `engines` of package.json demands, in its form `>=20.19`. */
export function judgeNode(version: string, engines: string): Check {
  const least = versionIn(engines) ?? '';
  return atLeast(version, least)
    ? ok('Node.js', version)
    : failed(
        'Node.js',
        `is ${version}; ${least} or newer is needed`,
        'install a newer Node.js (https://nodejs.org)',
      );
}

/**
 * The Pulumi CLI against the SDK that the program uses.
 *
 * @param least version of `@pulumi/pulumi`: an older CLI may lack what that one relies on.
 */
export function judgePulumi(answer: Answer, least: string): Check {
  const remedy = `install Pulumi ${least} or newer: https://www.pulumi.com/docs/install/`;
  if ('problem' in answer) return failed('Pulumi CLI', answer.problem, remedy);
  const version = versionIn(answer.printed);
  return version !== undefined && atLeast(version, least)
    ? ok('Pulumi CLI', version)
    : failed('Pulumi CLI', `is ${version ?? answer.printed}; ${least} or newer is needed`, remedy);
}

/** What `pulumi plugin ls --json` says of a plugin. */
export interface InstalledPlugin {
  name: string;
  kind: string;
  version: string | null;
}

/** A resource plugin, which must be there in the very version of its SDK. */
export function judgePlugin(installed: readonly InstalledPlugin[], name: string, wanted: string): Check {
  const check = `Pulumi plugin ${name}`;
  const versions = installed
    .filter((plugin) => plugin.kind === 'resource' && plugin.name === name)
    .map(({ version }) => version ?? 'without a version');
  if (versions.includes(wanted)) return ok(check, wanted);
  return failed(
    check,
    `version ${wanted} is not installed${versions.length === 0 ? '' : `; there is ${versions.join(', ')}`}`,
    `pulumi plugin install resource ${name} v${wanted}`,
  );
}

/** A program that only has to be there. */
export function judgeProgram(check: string, answer: Answer, remedy: string): Check {
  return 'problem' in answer
    ? failed(check, answer.problem, remedy)
    : ok(check, answer.printed.split('\n')[0] ?? '');
}

/** Python 3, without which reviews say less and nothing else is missing. */
export function judgePython(answer: Answer): Check {
  return 'problem' in answer
    ? {
        check: 'Python 3',
        state: 'skipped',
        detail: `${answer.problem}; reviews leave out the Bacalhau configuration of the nodes, nothing else needs it`,
        remedy: 'install Python 3, where reviews are to show it',
      }
    : ok('Python 3', answer.printed);
}
