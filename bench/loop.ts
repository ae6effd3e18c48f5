import { plain } from '../deployment/operator/recorded-state';

/** A command of the recorded state, as far as it is run again here. */
interface RecordedCommand {
  create: string;
  environment: Record<string, string>;
}

interface Resource {
  urn: string;
  inputs?: Record<string, unknown>;
}

/** The commands of a state by their names. */
function commandsOf(recorded: unknown): Map<string, RecordedCommand> {
  const { deployment } = recorded as { deployment: { resources: Resource[] } };
  return new Map(
    deployment.resources.flatMap(({ urn, inputs }): [string, RecordedCommand][] => {
      if (typeof inputs?.['create'] !== 'string') return [];
      const environment = plain(inputs['environment']) as Record<string, string>;
      return [[urn.split('::').at(-1) ?? '', { create: inputs['create'], environment }]];
    }),
  );
}

/** How many commands a state has, those that run nothing among them. */
export function commandCount(recorded: unknown): number {
  const { deployment } = recorded as { deployment: { resources: { type: string }[] } };
  return deployment.resources.filter(({ type }) => type === 'command:local:Command').length;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * A shell script that does what an `up` does with the places of a stack, without Pulumi: the same submit and wait commands
 * in the same environment, all places at once.
 *
 * @param recorded the exported state of a stack that was brought up.
 */
export function shellLoop(recorded: unknown): string {
  const commands = commandsOf(recorded);
  const places = [...commands.keys()].flatMap((name) => /^(.+)-submit$/.exec(name)?.[1] ?? []);
  const run = (name: string, without: readonly string[] = []): string => {
    const { create, environment } = commands.get(name) ?? { create: 'false', environment: {} };
    const variables = Object.entries(environment).filter(([variable]) => !without.includes(variable));
    const exports = variables.map(([variable, value]) => `export ${variable}=${quoted(value)}\n`);
    return `${exports.join('')}${create}`;
  };
  const place = (name: string): string =>
    `(\nset -e\nSKYFLEET_SUBMISSION=$(\n${run(`${name}-submit`)}\n)\nexport SKYFLEET_SUBMISSION\n` +
    `${run(`${name}-wait`, ['SKYFLEET_SUBMISSION'])} > /dev/null\n) &\njobs="$jobs $!"\n`;
  return `jobs=\n${places.map(place).join('')}for job in $jobs; do wait "$job" || exit 1; done\n`;
}
