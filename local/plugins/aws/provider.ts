import {
  type CheckCall,
  type CheckResult,
  type DiffResult,
  IncompleteResourceError,
  type Operation,
  type Plugin,
  type ReadResult,
} from '../plugin';
import { type Properties, inputOf } from '../properties';
import { type Clients, clientsFor } from './clients';
import { type Configuration, checkConfiguration, parseConfiguration } from './configuration';
import { type Functions, invokeFunction } from './functions';
import { type Tags, problemsOf, withDefaults } from './inputs';
import { nameStands, withName } from './naming';
import { awsUnder, messageOf } from './operation';
import type { Aws, ResourceType } from './resource-type';
import {
  allTags,
  differences,
  inputsAndAllTags,
  inputsFromState,
  plannedState,
  stateOf,
  tagChange,
} from './state';

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
    const failures = problemsOf(type, inputsAndAllTags(resource), news).map(({ path, reason }) => ({
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

  /** What is there after a failure, so that Pulumi records it: undefined only where AWS says that it is not there. */
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
      // What cannot be looked at may well stand, and nobody would delete it if it were not recorded.
      return known;
    }
  }
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
