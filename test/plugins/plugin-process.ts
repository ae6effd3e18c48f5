/** Runs a plugin's executable and speaks Pulumi's ResourceProvider protocol with it, as the engine does. */
import { type ChildProcess, spawn } from 'node:child_process';
import * as grpc from '@grpc/grpc-js';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';
import { Struct } from 'google-protobuf/google/protobuf/struct_pb';
import { EngineService } from '@pulumi/pulumi/proto/engine_grpc_pb';
import type { LogRequest } from '@pulumi/pulumi/proto/engine_pb';
import { ResourceProviderClient } from '@pulumi/pulumi/proto/provider_grpc_pb';
import type { PluginInfo } from '@pulumi/pulumi/proto/plugin_pb';
import * as proto from '@pulumi/pulumi/proto/provider_pb';
import { Status } from '@pulumi/pulumi/proto/status_pb';
import { type Properties, unwrapSecrets } from '../../local/plugins/properties';

export interface Diff {
  readonly changes: boolean;
  /** The detailed diff: property path to kind, as `UPDATE` or `ADD_REPLACE`. */
  readonly details: Record<string, string>;
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

export interface Resource {
  readonly urn: string;
  readonly id: string;
  readonly inputs: Properties;
  readonly state: Properties;
}

/** How long a plugin may take until it serves. */
const START_SECONDS = 30;

type Options = { preview?: boolean; timeoutSeconds?: number };
type Call<Response> = (
  request: unknown,
  callback: (error: grpc.ServiceError | null, response: Response) => void,
) => void;

export const urnOf = (type: string, name: string): string => `urn:pulumi:test::conformance::${type}::${name}`;

export class PluginProcess {
  /** What the plugin showed on the console, line by line. */
  readonly logged: string[];

  private constructor(
    readonly process: ChildProcess,
    private readonly client: ResourceProviderClient,
    private readonly engine: grpc.Server,
    logged: string[],
  ) {
    this.logged = logged;
  }

  /** Starts the plugin and configures it as the engine does: with what it made of the configuration in its check. */
  static async start(
    binary: string,
    config: Properties,
    env: Record<string, string> = {},
  ): Promise<PluginProcess> {
    const plugin = await PluginProcess.serve(binary, env);
    try {
      const { inputs, failures } = await plugin.checkConfig(config);
      if (failures.length > 0) throw new Error(failures.join('\n'));
      await plugin.configure(inputs);
      return plugin;
    } catch (error) {
      await plugin.stop();
      throw error;
    }
  }

  /** The version that the plugin says it is of. */
  static async version(binary: string): Promise<string> {
    const plugin = await PluginProcess.serve(binary, {});
    try {
      return (await plugin.call<PluginInfo>('getPluginInfo', new Empty())).getVersion();
    } finally {
      await plugin.stop();
    }
  }

  private static async serve(binary: string, env: Record<string, string>): Promise<PluginProcess> {
    const logged: string[] = [];
    const { server, address } = await startEngine(logged);
    const child = spawn(binary, [address], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
      detached: true,
    });
    try {
      const client = new ResourceProviderClient(
        `127.0.0.1:${await portOf(child, binary)}`,
        grpc.credentials.createInsecure(),
      );
      return new PluginProcess(child, client, server, logged);
    } catch (error) {
      server.forceShutdown();
      endGroup(child);
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.client.close();
    this.engine.forceShutdown();
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.process.once('close', resolve));
    this.process.kill('SIGKILL');
    await ended;
  }

  async checkConfig(news: Properties): Promise<{ inputs: Properties; failures: string[] }> {
    const request = new proto.CheckRequest()
      .setUrn(urnOf('pulumi:providers:conformance', 'default'))
      .setNews(struct(news));
    const response = await this.call<proto.CheckResponse>('checkConfig', request).catch((error: unknown) => {
      // What a plugin need not have, the engine does without.
      if (error instanceof CallError && error.code === grpc.status.UNIMPLEMENTED) return undefined;
      throw error;
    });
    if (response === undefined) return { inputs: news, failures: [] };
    const failures = response.getFailuresList().map((failure) => failure.getReason());
    return { inputs: plain(response.getInputs()), failures };
  }

  async configure(args: Properties): Promise<void> {
    const request = new proto.ConfigureRequest()
      .setArgs(struct(args))
      .setAcceptsecrets(false)
      .setSendsOldInputs(true)
      .setSendsOldInputsToDelete(true);
    await this.call('configure', request);
  }

  async check(type: string, name: string, news: Properties, olds: Properties = {}, seed = 'seed') {
    const request = new proto.CheckRequest()
      .setUrn(urnOf(type, name))
      .setType(type)
      .setName(name)
      .setOlds(struct(olds))
      .setNews(struct(news))
      .setRandomseed(Buffer.from(seed));
    const response = await this.call<proto.CheckResponse>('check', request);
    const failures = response
      .getFailuresList()
      .map((f) => ({ property: f.getProperty(), reason: f.getReason() }));
    return { inputs: plain(response.getInputs()), failures };
  }

  async diff(resource: Resource, news: Properties): Promise<Diff> {
    const request = new proto.DiffRequest()
      .setId(resource.id)
      .setUrn(resource.urn)
      .setOlds(struct(resource.state))
      .setOldInputs(struct(resource.inputs))
      .setNews(struct(news));
    const response = await this.call<proto.DiffResponse>('diff', request);
    const kinds = Object.entries(proto.PropertyDiff.Kind);
    const details: Record<string, string> = {};
    response.getDetaileddiffMap().forEach((change, path) => {
      details[path] = kinds.find(([, kind]) => kind === change.getKind())?.[0] ?? '';
    });
    return {
      changes: response.getChanges() === proto.DiffResponse.DiffChanges.DIFF_SOME,
      details,
      replaces: response.getReplacesList(),
      deleteBeforeReplace: response.getDeletebeforereplace(),
    };
  }

  /** Checks the inputs, which must hold, and creates the resource. */
  async make(type: string, name: string, news: Properties, options: Options = {}): Promise<Resource> {
    const { inputs, failures } = await this.check(type, name, news);
    if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join('\n'));
    return this.create(type, name, inputs, options);
  }

  async create(type: string, name: string, inputs: Properties, options: Options = {}): Promise<Resource> {
    const urn = urnOf(type, name);
    const request = new proto.CreateRequest()
      .setUrn(urn)
      .setType(type)
      .setName(name)
      .setProperties(struct(inputs))
      .setPreview(options.preview ?? false)
      .setTimeout(options.timeoutSeconds ?? 0);
    const response = await this.call<proto.CreateResponse>('create', request);
    return { urn, id: response.getId(), inputs, state: plain(response.getProperties()) };
  }

  /** What a refresh finds; undefined where the resource is gone. */
  async refresh({ urn, id, inputs, state }: Resource): Promise<Resource | undefined> {
    const request = new proto.ReadRequest()
      .setUrn(urn)
      .setId(id)
      .setProperties(struct(state))
      .setInputs(struct(inputs));
    const response = await this.call<proto.ReadResponse>('read', request);
    if (response.getId() === '') return undefined;
    return {
      urn,
      id: response.getId(),
      inputs: plain(response.getInputs()),
      state: plain(response.getProperties()),
    };
  }

  async import(type: string, name: string, id: string): Promise<Resource | undefined> {
    return this.refresh({ urn: urnOf(type, name), id, inputs: {}, state: {} });
  }

  async update(resource: Resource, news: Properties, options: Options = {}): Promise<Resource> {
    const request = new proto.UpdateRequest()
      .setUrn(resource.urn)
      .setId(resource.id)
      .setOlds(struct(resource.state))
      .setOldInputs(struct(resource.inputs))
      .setNews(struct(news))
      .setPreview(options.preview ?? false)
      .setTimeout(options.timeoutSeconds ?? 0);
    const response = await this.call<proto.UpdateResponse>('update', request);
    return { ...resource, inputs: news, state: plain(response.getProperties()) };
  }

  async delete(resource: Resource, options: Options = {}): Promise<void> {
    const request = new proto.DeleteRequest()
      .setUrn(resource.urn)
      .setId(resource.id)
      .setProperties(struct(resource.state))
      .setOldInputs(struct(resource.inputs))
      .setTimeout(options.timeoutSeconds ?? 0);
    await this.call('delete', request);
  }

  async invoke(token: string, args: Properties): Promise<Properties> {
    const request = new proto.InvokeRequest().setTok(token).setArgs(struct(args));
    return plain((await this.call<proto.InvokeResponse>('invoke', request)).getReturn());
  }

  async cancel(): Promise<void> {
    await this.call('cancel', new Empty());
  }

  private call<Response>(method: keyof ResourceProviderClient, request: unknown): Promise<Response> {
    const bound = (this.client[method] as unknown as Call<Response>).bind(this.client);
    return new Promise((resolve, reject) => {
      bound(request, (error, response) => {
        if (error) reject(incomplete(error) ?? new CallError(error.details, error.code));
        else resolve(response);
      });
    });
  }
}

/** A call that the plugin answered with an error, and gRPC's code for it. */
class CallError extends Error {
  constructor(
    message: string,
    readonly code: grpc.status,
  ) {
    super(message);
  }
}

/** Ends a program that turned out to be no plugin, with all that it started. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The port that a plugin prints once it serves. */
function portOf(child: ChildProcess, binary: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`${binary} printed no port within ${START_SECONDS} s, as a plugin does`)),
      START_SECONDS * 1000,
    );
    const settle = <T>(how: (value: T) => void, value: T): void => {
      clearTimeout(late);
      how(value);
    };
    child.on('error', (error) => settle(reject, error));
    child.on('exit', (code) =>
      settle(reject, new Error(`${binary} ended with ${String(code)} before it served`)),
    );
    child.stdout?.once('data', (data: Buffer) => {
      const printed = data.toString().trim();
      if (/^\d+$/.test(printed)) settle(resolve, Number(printed));
      else
        settle(reject, new Error(`${binary} printed ${JSON.stringify(printed)} and not the port it serves`));
    });
  });
}

/** What the engine records of a resource that exists, but not as it was asked for. */
export class IncompleteResource extends Error {
  constructor(
    message: string,
    readonly id: string,
    readonly state: Properties,
  ) {
    super(message);
  }
}

function incomplete(error: grpc.ServiceError): Error | undefined {
  const [details] = error.metadata.get('grpc-status-details-bin');
  if (!(details instanceof Buffer)) return undefined;
  for (const detail of Status.deserializeBinary(details).getDetailsList()) {
    if (detail.getTypeName() !== 'pulumirpc.ErrorResourceInitFailed') continue;
    const failed = proto.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
    return new IncompleteResource(error.details, failed.getId(), plain(failed.getProperties()));
  }
  return undefined;
}

/** The part of the engine that a plugin talks to: its log. */
async function startEngine(logged: string[]): Promise<{ server: grpc.Server; address: string }> {
  const server = new grpc.Server();
  server.addService(EngineService, {
    log: (call: grpc.ServerUnaryCall<LogRequest, Empty>, callback: grpc.sendUnaryData<Empty>) => {
      logged.push(call.request.getMessage());
      callback(null, new Empty());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return { server, address: `127.0.0.1:${port}` };
}

function struct(properties: Properties): Struct {
  return Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)) as Record<string, never>);
}

function plain(properties: Struct | undefined): Properties {
  return unwrapSecrets(properties?.toJavaScript() ?? {}) as Properties;
}
