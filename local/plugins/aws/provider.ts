import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CheckCall,
  type CheckResult,
  type DiffResult,
  IncompleteResourceError,
  type Operation,
  type Plugin,
  type ReadResult,
} from '../server';
import {
  type Properties,
  type PropertyChange,
  UNKNOWN,
  changesBetween,
  containsUnknown,
  inputOf,
  isObject,
} from '../properties';
import { type Clients, clientsFor } from './clients';
import { type Configuration, checkConfiguration, parseConfiguration, partitionOf } from './configuration';
import { type Inputs, type Tags, canonical, problemsOf, sameJson, text, withDefaults } from './inputs';
import { type Functions, invokeFunction } from './functions';
import { nameStands, withName } from './naming';
import type { Aws, ResourceType, TagChange } from './resource-type';

export type ResourceTable = Readonly<Record<string, ResourceType>>;

const DEFAULT_MINUTES = 10;

interface Session {
  readonly configuration: Configuration;
  readonly clients: Clients;
}

/** The real provider's behaviour for the types in `table`, and a refusal for everything else. */
export class AwsPlugin implements Plugin {
  private session: Session | undefined;

  constructor(
    readonly version: string,
    private readonly table: ResourceTable,
    private readonly functions: Functions,
  ) {}

  checkConfig(news: Properties) {
    return checkConfiguration(news);
  }

  async configure(args: Properties, signal: AbortSignal): Promise<void> {
    const configuration = parseConfiguration(args, process.env);
    const clients = clientsFor(configuration);
    this.session = { configuration, clients };
    const { allowedAccountIds, forbiddenAccountIds, validateCredentials } = configuration;
    if (!validateCredentials && allowedAccountIds === undefined && forbiddenAccountIds.length === 0) return;
    const account = await accountOf(clients, signal);
    if (allowedAccountIds !== undefined && !allowedAccountIds.includes(account)) {
      throw new Error(
        `AWS account ${account} is not in aws:allowedAccountIds (${allowedAccountIds.join(', ')})`,
      );
    }
    if (forbiddenAccountIds.includes(account))
      throw new Error(`AWS account ${account} is in aws:forbiddenAccountIds`);
  }

  check({ type, name, olds, news, randomSeed }: CheckCall): Promise<CheckResult> {
    const resource = this.lookUp(type);
    const failures = problemsOf(type, inputsOf(resource), news).map(({ path, reason }) => ({
      property: path,
      reason,
    }));
    if (failures.length > 0) return Promise.resolve({ inputs: news, failures });

    const { region, defaultTags } = this.configured().configuration;
    let inputs = withDefaults(resource.inputs, news);
    if (!resource.global) inputs = { ...inputs, region: news['region'] ?? region };
    if (resource.tag) inputs = { ...inputs, tagsAll: allTags(defaultTags, news) };
    if (resource.autoname) inputs = withName(resource.autoname, name, olds, inputs, randomSeed);
    return Promise.resolve({ inputs, failures: [] });
  }

  diff({ type, olds, news }: { type: string; olds: Properties; news: Properties }): Promise<DiffResult> {
    const resource = this.lookUp(type);
    const changes = differences(resource, olds, news);
    const replacing = changes.some(({ replaces }) => replaces);
    return Promise.resolve({
      changes,
      deleteBeforeReplace: replacing && nameStands(resource.autoname, olds, news),
    });
  }

  async create(
    op: Operation,
    news: Properties,
    preview: boolean,
  ): Promise<{ id: string; state: Properties }> {
    const resource = this.lookUp(op.type);
    if (preview) return { id: '', state: plannedState(resource, {}, news) };

    let id: string | undefined;
    const aws = this.awsFor(op, resource, news['region']);
    try {
      id = await resource.create(aws, news, (made) => {
        id = made;
      });
      const state = await resource.read(aws, id, news);
      if (state === undefined) throw new Error(`${op.type} ${id} was created, but AWS does not know it`);
      return { id, state: stateOf(resource, aws, news, state) };
    } catch (error) {
      const state = id === undefined ? undefined : await this.whatStands(op, resource, id, news);
      if (id === undefined || state === undefined) throw error;
      throw new IncompleteResourceError(messageOf(error), id, state);
    }
  }

  async read(
    op: Operation,
    id: string,
    state: Properties,
    inputs: Properties,
  ): Promise<ReadResult | undefined> {
    const resource = this.lookUp(op.type);
    const imported = Object.keys(state).length === 0;
    // An import may name the region: `vpc-0123456789abcdef0@eu-west-1`.
    const [bareId = id, importedRegion] = imported && !resource.global ? id.split('@') : [id];
    const aws = this.awsFor(op, resource, state['region'] ?? importedRegion);
    const found = await resource.read(aws, bareId, state);
    if (found === undefined) return undefined;
    const newState = stateOf(resource, aws, state, found);
    return {
      // Some types are imported under another name than they then have.
      id: typeof found['id'] === 'string' ? found['id'] : bareId,
      state: newState,
      inputs: inputsFromState(resource, imported ? newState : inputs, newState),
    };
  }

  async update(
    op: Operation,
    id: string,
    olds: Properties,
    news: Properties,
    preview: boolean,
  ): Promise<Properties> {
    const resource = this.lookUp(op.type);
    if (preview) return plannedState(resource, olds, news);

    const aws = this.awsFor(op, resource, news['region']);
    try {
      const paths = differences(resource, olds, news).map(({ path }) => inputOf(path));
      const changed = (...inputs: string[]): boolean => inputs.some((input) => paths.includes(input));
      if (changed('tags', 'tagsAll')) {
        await resource.tag?.(
          aws,
          id,
          tagChange((olds['tagsAll'] ?? {}) as Tags, (news['tagsAll'] ?? {}) as Tags),
        );
      }
      await resource.update?.(aws, id, { props: news, olds, changed });
      const known = { ...olds, ...news };
      const state = await resource.read(aws, id, known);
      if (state === undefined) throw new Error(`${op.type} ${id} is gone: run pulumi refresh`);
      return stateOf(resource, aws, known, state);
    } catch (error) {
      const state = await this.whatStands(op, resource, id, olds);
      if (state === undefined) throw error;
      throw new IncompleteResourceError(messageOf(error), id, state);
    }
  }

  async delete(op: Operation, id: string, state: Properties): Promise<void> {
    const resource = this.lookUp(op.type);
    await resource.delete(this.awsFor(op, resource, state['region']), id, state);
  }

  async invoke(token: string, args: Properties): Promise<Properties> {
    const { configuration, clients } = this.configured();
    return invokeFunction(this.functions, token, args, { clients, region: configuration.region });
  }

  private lookUp(type: string): ResourceType {
    const resource = this.table[type];
    if (resource !== undefined) return resource;
    throw new Error(
      `${type} is not among the types of this stand-in for @pulumi/aws (${Object.keys(this.table).sort().join(', ')}). ` +
        `Add an entry for it under local/plugins/aws/resources, or use the real plugin`,
    );
  }

  private configured(): Session {
    if (this.session === undefined) {
      throw new Error('the aws provider is not configured: its region or credentials are not known yet');
    }
    return this.session;
  }

  private awsFor(op: Operation, resource: ResourceType, region: unknown): Aws {
    const { configuration, clients } = this.configured();
    const own = typeof region === 'string' && region !== '' ? region : configuration.region;
    const seconds = op.timeoutSeconds ?? (resource.minutes ?? DEFAULT_MINUTES) * 60;
    return awsUnder(op.signal, seconds, own, clients);
  }

  /** What is there after a failure, so that Pulumi records it; undefined where that cannot be told either. */
  private async whatStands(
    op: Operation,
    resource: ResourceType,
    id: string,
    known: Properties,
  ): Promise<Properties | undefined> {
    try {
      const aws = this.awsFor({ ...op, signal: new AbortController().signal }, resource, known['region']);
      const state = await resource.read(aws, id, known);
      return state === undefined ? undefined : stateOf(resource, aws, known, state);
    } catch {
      // The failure that is being reported matters more than this one.
      return undefined;
    }
  }
}

function inputsOf(resource: ResourceType): Inputs {
  const own = Object.entries(resource.inputs).filter(([key]) => key !== 'tagsAll');
  return { ...Object.fromEntries(own), ...(resource.global ? {} : { region: text({ replaces: true }) }) };
}

function allTags(defaultTags: Tags, news: Properties): Properties[string] {
  const tags = news['tags'];
  if (tags === UNKNOWN) return UNKNOWN;
  return { ...defaultTags, ...(isObject(tags) ? tags : {}) };
}

export function differences(resource: ResourceType, olds: Properties, news: Properties): PropertyChange[] {
  const inputs: Inputs = { ...inputsOf(resource), ...(resource.tag ? { tagsAll: { kind: 'tags' } } : {}) };
  const changes = Object.entries(inputs).flatMap(([key, input]) => {
    const after = news[key];
    if ((after === undefined || after === null) && input.computed) return [];
    const old = canonical(input, olds[key]);
    const now = canonical(input, after);
    return changesBetween(key, old, now, false).length === 0
      ? []
      : changesBetween(key, olds[key], after, input.replaces ?? false);
  });
  // A change of `tags` shows as itself; `tagsAll` shows where the provider's default tags are what changed.
  return changes.some(({ path }) => inputOf(path) === 'tags')
    ? changes.filter(({ path }) => inputOf(path) !== 'tagsAll')
    : changes;
}

function plannedState(resource: ResourceType, olds: Properties, news: Properties): Properties {
  const creating = Object.keys(olds).length === 0;
  const state: Properties = creating ? {} : { ...olds };
  if (creating) for (const key of resource.outputs) state[key] = UNKNOWN;
  for (const [key, input] of Object.entries(inputsOf(resource))) {
    if (news[key] !== undefined && news[key] !== null) state[key] = news[key];
    else if (!input.computed) state[key] = undefined;
    else if (creating) state[key] = UNKNOWN;
  }
  if (resource.tag) state['tagsAll'] = containsUnknown(news['tags']) ? UNKNOWN : news['tagsAll'];
  return state;
}

/** AWS's answer, with the program's own wording where it means the same, and what AWS never tells. */
function stateOf(resource: ResourceType, aws: Aws, known: Properties, found: Properties): Properties {
  const state: Properties = resource.global ? {} : { region: aws.region };
  for (const [key, input] of Object.entries(inputsOf(resource))) {
    const [asked, told] = [known[key], found[key]];
    if (key === 'region') continue;
    if (!(key in found)) state[key] = asked;
    else if (input.kind === 'json' && typeof asked === 'string' && typeof told === 'string') {
      state[key] = sameJson(asked, told) ? asked : told;
    } else if (JSON.stringify(canonical(input, asked)) === JSON.stringify(canonical(input, told))) {
      state[key] = asked ?? told;
    } else state[key] = told;
  }
  for (const key of resource.outputs) state[key] = found[key];
  if (resource.tag) {
    const all = (found['tagsAll'] ?? {}) as Tags;
    state['tagsAll'] = all;
    state['tags'] = ownTags(all, (known['tags'] ?? {}) as Tags, (known['tagsAll'] ?? {}) as Tags);
  }
  return state;
}

/** The tags without those that came from the provider's default tags. */
function ownTags(all: Tags, tags: Tags, tagsAll: Tags): Tags {
  const inherited = (key: string): boolean => tags[key] === undefined && tagsAll[key] === all[key];
  return Object.fromEntries(Object.entries(all).filter(([key]) => !inherited(key)));
}

/** Inputs that would give this state: those that were given (all of them for an import), as they now are. */
function inputsFromState(resource: ResourceType, given: Properties, state: Properties): Properties {
  const inputs: Properties = {};
  for (const [key, input] of Object.entries(inputsOf(resource))) {
    const empty = canonical(input, state[key]) === undefined && typeof state[key] !== 'boolean';
    if (empty && input.default === undefined) continue;
    if (given[key] === undefined && input.computed) continue;
    inputs[key] = state[key];
  }
  if (resource.tag) inputs['tagsAll'] = state['tagsAll'];
  if (given['__defaults'] !== undefined) inputs['__defaults'] = given['__defaults'];
  return inputs;
}

function tagChange(olds: Tags, news: Tags): TagChange {
  return {
    all: news,
    set: Object.fromEntries(Object.entries(news).filter(([key, value]) => olds[key] !== value)),
    removed: Object.keys(olds).filter((key) => news[key] === undefined),
  };
}

async function accountOf(clients: Clients, abortSignal: AbortSignal): Promise<string> {
  const sts = await clients.sts();
  try {
    const { Account } = await sts.getCallerIdentity({}, { abortSignal });
    return Account ?? '';
  } catch (error) {
    throw new Error(
      `AWS does not accept the credentials (sts:GetCallerIdentity: ${messageOf(error)}): check aws:accessKey and ` +
        `aws:secretKey or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and aws:endpoints`,
    );
  }
}

function awsUnder(signal: AbortSignal, seconds: number, region: string, clients: Clients): Aws {
  const started = Date.now();
  const deadline = started + seconds * 1000;
  const ending = (): string => {
    const elapsed = Math.round((Date.now() - started) / 1000);
    return signal.aborted && Date.now() < deadline
      ? `when it was cancelled after ${elapsed} s`
      : `after ${elapsed} s`;
  };
  const retry = async <T>(ask: () => Promise<T | undefined>, outOfTime: () => Error): Promise<T> => {
    for (let delay = 100; ; delay = Math.min(delay * 2, 5000)) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      if (Date.now() + delay > deadline) throw outOfTime();
      await sleep(delay, undefined, { signal }).catch(() => {
        throw outOfTime();
      });
    }
  };
  return {
    region,
    partition: partitionOf(region),
    ec2: () => clients.ec2(region),
    iam: () => clients.iam(),
    s3: () => clients.s3(region),
    until: (what, ask) => retry(ask, () => new Error(`${what}: not so ${ending()}`)),
    whileRefused: async (codes, request) => {
      let refusal: unknown;
      const { result } = await retry(
        async () => {
          try {
            return { result: await request() };
          } catch (error) {
            if (!(error instanceof Error) || !codes.includes(error.name)) throw error;
            refusal = error;
            return undefined;
          }
        },
        () => new Error(`still refused ${ending()}: ${messageOf(refusal)}`),
      );
      return result;
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error
    ? `${error.name === 'Error' ? '' : `${error.name}: `}${error.message}`
    : String(error);
}
