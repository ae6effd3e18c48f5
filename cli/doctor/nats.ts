import { AuthorizationError, connect, type ConnectionOptions } from '@nats-io/transport-node';
import type { SkyfleetConfig } from '../../config/schema';
import { relayTls } from './tls-relay';

type OrchestratorConfig = SkyfleetConfig['orchestrator'];

/** How an orchestrator's NATS server answered a compute node's greeting. */
export type NatsAnswer =
  | {
      kind: 'accepted';
      /** Whether it asks for a token at all. */
      asksToken: boolean;
      /** Whether the connection is encrypted. */
      tls: boolean;
    }
  /** It is there, and does not take the token. */
  | { kind: 'refused'; message: string }
  /** Nobody answers, or not as NATS, or not with the TLS that is demanded. */
  | { kind: 'unreachable'; message: string };

/** Milliseconds that a connection may take, as long as the node's own try. */
const connectMilliseconds = 5000;

/**
 * TLS after the greeting: demanded where the stack says so, else used where the server demands it, as Bacalhau does.
 *
 * The library hands over the name of a host for its certificate, and nothing for an address (nats-core 3.4.0), which Node.js
 * then takes for `localhost`; `host` is what Node.js goes by where there is no name.
 */
function tlsOptions(endpoint: string, { tls }: OrchestratorConfig): Pick<ConnectionOptions, 'tls'> {
  if (tls === undefined) return {};
  const options = {
    host: new URL(endpoint).hostname,
    ...(tls.caCert === undefined ? {} : { ca: tls.caCert }),
  };
  return { tls: options };
}

async function greet(
  servers: string,
  options: ConnectionOptions,
): Promise<{ asksToken: boolean; tls: boolean }> {
  const connection = await connect({
    ...{ servers, name: 'skyfleet doctor', reconnect: false, timeout: connectMilliseconds },
    ...options,
  });
  const { auth_required: asksToken = false, tls_required: tls = false } = connection.info ?? {};
  await connection.close();
  return { asksToken, tls };
}

/** The same through a proxy that ends TLS, and so speaks it from the first byte on. */
async function greetThroughProxy(
  endpoint: string,
  token: string,
  ca: string | undefined,
): Promise<{ asksToken: boolean; tls: boolean }> {
  const { hostname: host, port } = new URL(endpoint);
  const relay = await relayTls({ host, port: Number(port), ca }, connectMilliseconds);
  try {
    const { asksToken } = await greet(`nats://127.0.0.1:${relay.port}`, { token });
    return { asksToken, tls: true };
  } finally {
    relay.close();
  }
}

/**
 * Connects as a compute node does (Bacalhau hands its token over as the token of NATS) and leaves at once, without having
 * said what a node would say to join.
 *
 * @param endpoint `nats://host:port`.
 */
export async function askNats(
  endpoint: string,
  token: string,
  orchestrator: OrchestratorConfig,
): Promise<NatsAnswer> {
  const { tls } = orchestrator;
  try {
    const greeted =
      tls?.handshakeFirst === true
        ? await greetThroughProxy(endpoint, token, tls.caCert)
        : await greet(endpoint, { token, ...tlsOptions(endpoint, orchestrator) });
    return { kind: 'accepted', ...greeted };
  } catch (error) {
    const { message, cause } = error as { message: string; cause?: { message?: string } };
    const reason = cause?.message === undefined ? message : `${message}: ${cause.message}`;
    return { kind: error instanceof AuthorizationError ? 'refused' : 'unreachable', message: reason };
  }
}
