import { plain } from './recorded-state';
import type { ServerIdentity } from './server-identity';
import { labelKeys, parseSubmission } from './incarnation';
import { kindOf, type FoundResource } from './stack-resources';

/*
 * The way back after Pulumi was killed, as far as it is a matter of plain values; `cli/commands/recover.ts` does the rest.
 */

/** What Pulumi keeps of a resource, as far as it is read here. */
interface StateResource {
  urn: string;
  type: string;
  id?: string;
  inputs?: { environment?: Record<string, unknown>; tags?: Record<string, string> };
  outputs?: { stdout?: string; routeTableId?: string; destinationCidrBlock?: string };
}

/** Something that Pulumi had begun and not ended. */
export interface PendingOperation {
  /** creating, updating, deleting, … */
  type: string;
  urn: string;
}

/** What Pulumi's state says of a stack, as far as recovery needs it. */
export interface StackState {
  /** Name of the project. */
  project: string;
  /** Full name of the stack, where the state tells it. */
  fullName: string | undefined;
  /** URNs of its resources; the stack itself is the first. */
  urns: string[];
  /** Ids of its AWS resources; a route goes by its table and destination. */
  ids: Set<string>;
  pending: PendingOperation[];
  /** Incarnations that a place's submit command has recorded. */
  incarnations: Set<string>;
  /** The SkyPilot server that it belongs to; undefined before the first `up` came that far and after a `destroy`. */
  server: { environment: Record<string, string>; identity: ServerIdentity } | undefined;
}

const routeId = (table = '', destination = ''): string => `${table}_${destination}`;

/**
 * Reads `pulumi stack export --show-secrets`.
 *
 * @param project name of the project, for a stack that has nothing yet.
 */
export function parseExport(text: string, project: string): StackState {
  const { deployment } = JSON.parse(text) as {
    deployment: {
      resources?: StateResource[];
      pending_operations?: { type: string; resource: StateResource }[];
    } | null;
  };
  const resources = deployment?.resources ?? [];
  const begun = deployment?.pending_operations ?? [];
  const commands = resources.filter(({ type }) => type === 'command:local:Command');
  const all = [...resources, ...begun.map(({ resource }) => resource)];
  const claim = commands.find(({ urn, outputs }) => urn.endsWith('-skypilot') && Boolean(outputs?.stdout));
  return {
    project: resources[0]?.urn.split('::')[1] ?? project,
    fullName: all
      .map(({ inputs }) => inputs?.environment?.['SKYFLEET_STACK'] ?? inputs?.tags?.[labelKeys.stack])
      .find((name) => typeof name === 'string'),
    urns: resources.map(({ urn }) => urn),
    ids: new Set(
      resources
        .filter(({ type }) => type.startsWith('aws:'))
        .flatMap(({ type, id = '', outputs }) =>
          type === 'aws:ec2/route:Route'
            ? [routeId(outputs?.routeTableId, outputs?.destinationCidrBlock)]
            : // A role's policy goes by the role's name and its own.
              [id, ...id.split(':')],
        ),
    ),
    pending: begun.map(({ type, resource }) => ({ type, urn: resource.urn })),
    incarnations: new Set(
      commands.flatMap(({ urn, outputs }) => {
        const submission = urn.endsWith('-submit') ? parseSubmission(outputs?.stdout) : undefined;
        return submission === undefined ? [] : [submission.incarnation, ...submission.retiring];
      }),
    ),
    server:
      claim === undefined
        ? undefined
        : {
            environment: plain(claim.inputs?.environment ?? {}) as Record<string, string>,
            identity: JSON.parse(claim.outputs?.stdout ?? '') as ServerIdentity,
          },
  };
}

/**
 * What `pulumi refresh` is to look at: the stack itself, which costs nothing and takes the lock, and whatever may have
 * been changed or deleted without being recorded so. What was being created is not in the state.
 */
export function refreshTargets({ urns, pending }: StackState): string[] {
  const known = new Set(urns);
  const begun = pending
    .filter(({ type, urn }) => type !== 'creating' && known.has(urn))
    .map(({ urn }) => urn);
  return [...new Set([...urns.slice(0, 1), ...begun])];
}

/** Who holds a stack's lock. */
export interface LockHolder {
  user: string;
  host: string;
  pid: number;
  /** When the lock was taken. */
  since: string;
}

/**
 * Who holds the lock, from Pulumi's own message; undefined where the message is about something else. The list is empty
 * where Pulumi knows that there is a lock but not whose.
 */
export function parseLock(message: string): LockHolder[] | undefined {
  if (/another update is currently in progress/i.test(message)) return [];
  if (!message.includes('the stack is currently locked by')) return undefined;
  return [...message.matchAll(/created by (\S+?)@(\S+) \(pid (\d+)\) at (\S+)/g)].map(
    ([, user = '', host = '', pid, since = '']) => ({ user, host, pid: Number(pid), since }),
  );
}

/** Something at AWS that Pulumi does not know, and the commands that change that. */
export interface Unrecorded extends FoundResource {
  /** Pulumi's type; empty for what SkyPilot makes. */
  type: string;
  /** Takes it into Pulumi's state; undefined where the next `up` would replace it all the same. */
  import?: string;
  /** Command lines that delete it, in order. */
  delete: string[];
}

/** Text that a shell takes as one word. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** A command line that can be pasted into a shell. */
export const commandLine = (...words: string[]): string => words.map(quoted).join(' ');

/**
 * The resources of a stack that Pulumi does not know.
 *
 * @param stack `options` are those that name the stack and its file to the Pulumi CLI.
 */
export function unrecorded(
  found: readonly FoundResource[],
  recorded: StackState,
  stack: {
    name: string;
    options: readonly string[];
    prefix: string;
    region: string;
    incarnations: ReadonlySet<string> | undefined;
  },
): Unrecorded[] {
  const missing = found.filter((one) => !isKnown(one, recorded, stack.incarnations));
  // Rules go with their group, and routes with their table.
  const whole = new Set(
    missing.filter(({ kind }) => ['securityGroup', 'routeTable'].includes(kind)).map(({ id }) => id),
  );
  const parts = ['ingressRule', 'egressRule', 'route'];
  return missing
    .filter(({ kind, of = '' }) => !(parts.includes(kind) && whole.has(of)))
    .map((one) => {
      const { type, within, importable, deletion } = kindOf(one.kind);
      const parent = `urn:pulumi:${stack.name}::${recorded.project}::${within}::${stack.prefix}`;
      // Components call a resource what its Name tag says; an instance profile has none.
      const name = one.kind === 'instanceProfile' ? `${stack.prefix}-profile` : one.name;
      const taken =
        importable && name !== ''
          ? commandLine(
              ...['pulumi', 'import', ...stack.options, '--parent', `parent=${parent}`],
              ...['--protect=false', '--generate-code=false', type, name, one.id],
            )
          : undefined;
      return {
        ...one,
        type,
        ...(taken === undefined ? {} : { import: taken }),
        delete: deletion(one).map((words) => commandLine('aws', ...words, '--region', stack.region)),
      };
    });
}

/**
 * Whether something is in Pulumi's state, or in SkyPilot's.
 *
 * @param incarnations clusters that SkyPilot knows; undefined where it cannot be asked, and no instance counts as lost.
 */
function isKnown(
  { kind, id, of }: FoundResource,
  { ids }: StackState,
  incarnations: ReadonlySet<string> | undefined,
): boolean {
  if (kind === 'instance') return incarnations === undefined || incarnations.has(of ?? '');
  if (kind === 'route') return ids.has(routeId(of, id));
  return ids.has(id);
}
