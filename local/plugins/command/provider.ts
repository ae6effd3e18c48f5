import { randomBytes } from 'node:crypto';
import {
  type CheckCall,
  type CheckFailure,
  type CheckResult,
  type DiffResult,
  type Operation,
  type Plugin,
  type ReadResult,
} from '../plugin';
import {
  type Properties,
  type PropertyChange,
  UNKNOWN,
  type Value,
  changesBetween,
  containsUnknown,
  isObject,
} from '../properties';
import { type Command, type Output, run } from './run';

const COMMAND = 'command:local:Command';
const RUN = 'command:local:run';

type Kind = 'text' | 'flag' | 'texts' | 'textMap' | 'list' | 'logging';

const COMMON: Record<string, Kind> = {
  addPreviousOutputInEnv: 'flag',
  dir: 'text',
  environment: 'textMap',
  interpreter: 'texts',
  logging: 'logging',
  stdin: 'text',
};
const COMMAND_INPUTS: Record<string, Kind> = {
  ...COMMON,
  create: 'text',
  delete: 'text',
  triggers: 'list',
  update: 'text',
};
const RUN_INPUTS: Record<string, Kind> = { ...COMMON, command: 'text' };

const EXPECTED: Record<Kind, string> = {
  text: 'a string',
  flag: 'true or false',
  texts: 'a list of strings',
  textMap: 'a map of strings',
  list: 'a list',
  logging: 'one of stdout, stderr, stdoutAndStderr, none',
};

const LOGGING: Value[] = ['stdout', 'stderr', 'stdoutAndStderr', 'none'];
const isText = (value: Value): boolean => typeof value === 'string';

function fits(kind: Kind, value: Value): boolean {
  switch (kind) {
    case 'text':
      return isText(value);
    case 'flag':
      return typeof value === 'boolean';
    case 'texts':
      return Array.isArray(value) && value.every(isText);
    case 'textMap':
      return isObject(value) && Object.values(value).every(isText);
    case 'list':
      return Array.isArray(value);
    case 'logging':
      return LOGGING.includes(value);
  }
}

function problemsOf(type: string, inputs: Record<string, Kind>, values: Properties): CheckFailure[] {
  return Object.entries(values).flatMap(([property, value]) => {
    if (value === undefined || value === null || value === UNKNOWN) return [];
    const kind = inputs[property];
    if (kind === undefined) {
      const known = Object.keys(inputs).sort().join(', ');
      return [
        { property, reason: `${type} in this stand-in does not apply "${property}"; it applies ${known}` },
      ];
    }
    return fits(kind, value)
      ? []
      : [{ property, reason: `${type}: "${property}" must be ${EXPECTED[kind]}` }];
  });
}

/** The behaviour of pulumi-command 1.2.1 for `local.Command` and `local.run`, without assets and archives. */
export class CommandPlugin implements Plugin {
  constructor(readonly version: string) {}

  checkConfig(): CheckFailure[] {
    return [];
  }

  configure(): Promise<void> {
    return Promise.resolve();
  }

  check({ type, news }: CheckCall): Promise<CheckResult> {
    assertCommand(type);
    return Promise.resolve({
      inputs: { addPreviousOutputInEnv: true, ...news },
      failures: problemsOf(type, COMMAND_INPUTS, news),
    });
  }

  /** Another trigger replaces, creating before it deletes; any other change, even of `delete` alone, updates. */
  diff({ olds, news }: { olds: Properties; news: Properties }): Promise<DiffResult> {
    return Promise.resolve({ changes: inputChanges(olds, news), deleteBeforeReplace: false });
  }

  async create(
    op: Operation,
    news: Properties,
    preview: boolean,
  ): Promise<{ id: string; state: Properties }> {
    assertCommand(op.type);
    if (preview) return { id: '', state: { ...news, stdout: UNKNOWN, stderr: UNKNOWN } };
    const name = op.urn.split('::').slice(3).join('::');
    const output = await runScript(op, news['create'], news, {});
    return { id: `${name}${randomBytes(4).toString('hex')}`, state: { ...news, ...output } };
  }

  /** There is nothing to look at: a refresh finds what was stored. */
  read(_: Operation, id: string, state: Properties, inputs: Properties): Promise<ReadResult> {
    return Promise.resolve({ id, state, inputs });
  }

  async update(
    op: Operation,
    _: string,
    olds: Properties,
    news: Properties,
    preview: boolean,
  ): Promise<Properties> {
    assertCommand(op.type);
    const previous = outputOf(olds);
    if (preview) {
      const rerun = inputChanges(olds, news).length > 0 || containsUnknown(news);
      return { ...news, ...(rerun ? { stdout: UNKNOWN, stderr: UNKNOWN } : previous) };
    }
    return { ...news, ...(await runScript(op, news['update'] ?? news['create'], news, previous)) };
  }

  /** Runs what was stored, in the environment that was stored. */
  async delete(op: Operation, _: string, state: Properties): Promise<void> {
    assertCommand(op.type);
    await runScript(op, state['delete'], state, outputOf(state));
  }

  async invoke(token: string, args: Properties, signal: AbortSignal): Promise<Properties> {
    if (token !== RUN) throw new Error(`${token} is not among the functions of this stand-in (${RUN})`);
    const problems = problemsOf(token, RUN_INPUTS, args);
    if (problems.length > 0) throw new Error(problems.map(({ reason }) => reason).join('; '));
    const { command, ...inputs } = args;
    if (typeof command !== 'string') throw new Error(`${token} needs "command"`);
    const output = await run(commandOf(command, inputs), {}, () => undefined, signal);
    return { addPreviousOutputInEnv: true, ...args, ...output };
  }
}

function assertCommand(type: string): void {
  if (type !== COMMAND) {
    throw new Error(`${type} is not among the types of this stand-in for @pulumi/command (${COMMAND})`);
  }
}

function inputChanges(olds: Properties, news: Properties): PropertyChange[] {
  return Object.keys(COMMAND_INPUTS)
    .sort()
    .flatMap((key) => changesBetween(key, olds[key], news[key], key === 'triggers'));
}

function outputOf(state: Properties): Output {
  const part = (value: Value): string => (typeof value === 'string' ? value : '');
  return { stdout: part(state['stdout']), stderr: part(state['stderr']) };
}

/** Without a script nothing runs, and the output stays what it was. */
async function runScript(
  op: Operation,
  script: Value,
  inputs: Properties,
  previous: Partial<Output>,
): Promise<Output> {
  if (typeof script !== 'string') return { stdout: previous.stdout ?? '', stderr: previous.stderr ?? '' };
  const inEnvironment = inputs['addPreviousOutputInEnv'] === false ? {} : previous;
  return run(commandOf(script, inputs), inEnvironment, op.log, op.signal);
}

/** Check has made sure of the types. */
function commandOf(script: string, inputs: Properties): Command {
  const { interpreter, dir, environment, stdin, logging } = inputs as Partial<Command>;
  return {
    script,
    ...(interpreter ? { interpreter } : {}),
    ...(dir ? { dir } : {}),
    ...(environment ? { environment } : {}),
    ...(stdin ? { stdin } : {}),
    ...(logging ? { logging } : {}),
  };
}
