import * as grpc from '@grpc/grpc-js';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';
import { EngineClient } from '@pulumi/pulumi/proto/engine_grpc_pb';
import { LogRequest, LogSeverity } from '@pulumi/pulumi/proto/engine_pb';
import { PluginInfo } from '@pulumi/pulumi/proto/plugin_pb';
import { ResourceProviderService } from '@pulumi/pulumi/proto/provider_grpc_pb';
import * as proto from '@pulumi/pulumi/proto/provider_pb';
import { checkFailure, diffResponse, fromStruct, nameOf, serviceError, toStruct, typeOf } from './messages';
import type { Operation, Plugin } from './plugin';

/*
 * Serves a plugin over Pulumi's ResourceProvider protocol.
 *
 * `main` of `@pulumi/pulumi/provider` does the same for less: it drops Configure (region, endpoints and default
 * tags never arrive), answers CheckConfig with "unimplemented", and passes on neither the preview flag, nor
 * time-outs, nor the random seed that keeps a saved plan's names, nor detailed diffs. Where a newer
 * `@pulumi/pulumi` passes all these on, this file can go.
 */

const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;
const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
};

/** Starts serving, and prints the port for the engine, which passes its own address as the first argument. */
export async function serve(plugin: Plugin, args: readonly string[]): Promise<void> {
  const engineAddress = engineAddressOf(args);
  const engine =
    engineAddress === undefined
      ? undefined
      : new EngineClient(engineAddress, grpc.credentials.createInsecure(), CHANNEL_OPTIONS);
  const server = new grpc.Server(CHANNEL_OPTIONS);
  server.addService(ResourceProviderService, implementation(plugin, engine));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  endWithParent();
  process.stdout.write(`${port}\n`);
}

/** The engine may put `--logtostderr`, `-v=9` and `--tracing ENDPOINT` before its address. */
function engineAddressOf(args: readonly string[]): string | undefined {
  return args.find(
    (arg, i) =>
      arg !== '--logtostderr' && arg !== '--tracing' && !arg.startsWith('-v=') && args[i - 1] !== '--tracing',
  );
}

/** A CLI that is killed hard cannot end its plugins, so they watch for becoming somebody else's child. */
function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, 1000).unref();
}

type Unary<Request, Response> = (
  call: grpc.ServerUnaryCall<Request, Response>,
  callback: grpc.sendUnaryData<Response>,
) => void;

function unary<Request, Response>(handle: (request: Request) => Promise<Response>): Unary<Request, Response> {
  return (call, callback) => {
    handle(call.request).then(
      (response) => callback(null, response),
      (error: unknown) => callback(serviceError(error)),
    );
  };
}

function implementation(plugin: Plugin, engine: EngineClient | undefined): grpc.UntypedServiceImplementation {
  const cancelled = new AbortController();

  const operation = async <T>(
    request: { getUrn(): string; getTimeout(): number },
    run: (op: Operation) => Promise<T>,
  ): Promise<T> => {
    const urn = request.getUrn();
    const timeoutSeconds = request.getTimeout() > 0 ? request.getTimeout() : undefined;
    const timeout = new AbortController();
    const timer =
      timeoutSeconds === undefined ? undefined : setTimeout(() => timeout.abort(), timeoutSeconds * 1000);
    try {
      return await run({
        type: typeOf(urn),
        urn,
        signal: AbortSignal.any([cancelled.signal, timeout.signal]),
        timeoutSeconds,
        log: (line) => logStatus(engine, urn, line),
      });
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    getPluginInfo: unary(() => Promise.resolve(new PluginInfo().setVersion(plugin.version))),

    cancel: unary(() => {
      cancelled.abort();
      return Promise.resolve(new Empty());
    }),

    checkConfig: unary((request: proto.CheckRequest) =>
      Promise.resolve(
        new proto.CheckResponse()
          .setInputs(request.getNews())
          .setFailuresList(plugin.checkConfig(fromStruct(request.getNews())).map(checkFailure)),
      ),
    ),

    configure: unary(async (request: proto.ConfigureRequest) => {
      await plugin.configure(fromStruct(request.getArgs()), cancelled.signal);
      // Not accepting secrets makes the engine unwrap them on the way in, and mark as secret on the way out
      // what has the name of a secret input.
      return new proto.ConfigureResponse().setSupportspreview(true);
    }),

    invoke: unary(async (request: proto.InvokeRequest) =>
      new proto.InvokeResponse().setReturn(
        toStruct(await plugin.invoke(request.getTok(), fromStruct(request.getArgs()), cancelled.signal)),
      ),
    ),

    check: unary(async (request: proto.CheckRequest) => {
      const urn = request.getUrn();
      const { inputs, failures } = await plugin.check({
        type: typeOf(urn),
        name: nameOf(urn),
        olds: fromStruct(request.getOlds()),
        news: fromStruct(request.getNews()),
        randomSeed: request.getRandomseed_asU8(),
      });
      return new proto.CheckResponse()
        .setInputs(toStruct(inputs))
        .setFailuresList(failures.map(checkFailure));
    }),

    diff: unary(async (request: proto.DiffRequest) => {
      const result = await plugin.diff({
        type: typeOf(request.getUrn()),
        olds: fromStruct(request.getOlds()),
        news: fromStruct(request.getNews()),
      });
      return diffResponse(result);
    }),

    create: unary((request: proto.CreateRequest) =>
      operation(request, async (op) => {
        const created = await plugin.create(op, fromStruct(request.getProperties()), request.getPreview());
        return new proto.CreateResponse().setId(created.id).setProperties(toStruct(created.state));
      }),
    ),

    read: unary((request: proto.ReadRequest) =>
      operation(request, async (op) => {
        const state = fromStruct(request.getProperties());
        const found = await plugin.read(op, request.getId(), state, fromStruct(request.getInputs()));
        const response = new proto.ReadResponse();
        if (found === undefined) return response;
        return response
          .setId(found.id)
          .setProperties(toStruct(found.state))
          .setInputs(toStruct(found.inputs));
      }),
    ),

    update: unary((request: proto.UpdateRequest) =>
      operation(request, async (op) => {
        const olds = fromStruct(request.getOlds());
        const news = fromStruct(request.getNews());
        const state = await plugin.update(op, request.getId(), olds, news, request.getPreview());
        return new proto.UpdateResponse().setProperties(toStruct(state));
      }),
    ),

    delete: unary((request: proto.DeleteRequest) =>
      operation(request, async (op) => {
        await plugin.delete(op, request.getId(), fromStruct(request.getProperties()));
        return new Empty();
      }),
    ),
  };
}

function logStatus(engine: EngineClient | undefined, urn: string, line: string): void {
  if (engine === undefined) return;
  const request = new LogRequest()
    .setSeverity(LogSeverity.INFO)
    .setUrn(urn)
    .setMessage(line)
    .setEphemeral(true);
  // A status line that does not arrive harms nothing, and the engine may be gone already.
  engine.log(request, () => undefined);
}
