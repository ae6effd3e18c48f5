import { Orchestrator } from '../../deployment/operator/orchestrator';
import type { SkyfleetConfig } from '../../config/schema';
import type { Secrets } from '../../config/stack-config';
import { failed, messageOf, ok, type Check } from './check';
import { askNats, type NatsAnswer } from './nats';

const fromHere = 'as seen from here; the nodes must reach it too';

/** Whether an endpoint takes compute nodes with the token. */
export function judgeEndpoint(endpoint: string, answer: NatsAnswer): Check {
  const check = `orchestrator ${endpoint}`;
  switch (answer.kind) {
    case 'accepted':
      return ok(
        check,
        `${answer.asksToken ? 'accepts the token' : 'asks for no token'}${answer.tls ? ', with TLS' : ''}, ${fromHere}`,
      );
    case 'refused':
      return failed(
        check,
        `is there and refuses the token (${answer.message}), ${fromHere}`,
        "set the token of the orchestrator's Orchestrator.Auth.Token: pulumi config set --secret skyfleet:orchestratorToken",
      );
    case 'unreachable':
      return failed(
        check,
        `does not answer as a Bacalhau orchestrator does (${answer.message}), ${fromHere}`,
        'start it, let this address through its firewall, or correct skyfleet:orchestrator.endpoints and skyfleet:orchestrator.tls',
      );
  }
}

async function checkApi(address: string, token: string | undefined): Promise<Check> {
  const check = `orchestrator API ${address}`;
  try {
    const nodes = await new Orchestrator(address, token).computeNodes();
    return ok(check, `lists ${nodes.length} compute nodes`);
  } catch (error) {
    const remedy =
      'correct skyfleet:orchestrator.api, or skyfleet:orchestratorApiToken (a key with read:node and write:node)';
    return failed(check, messageOf(error), remedy);
  }
}

/** Whether the orchestrators are there for the nodes, and their API for this machine. */
export async function checkOrchestrator(
  { orchestrator }: SkyfleetConfig,
  { orchestratorToken = '', orchestratorApiToken }: Secrets,
): Promise<Check[]> {
  return Promise.all([
    ...orchestrator.endpoints.map(async (endpoint) =>
      judgeEndpoint(endpoint, await askNats(endpoint, orchestratorToken, orchestrator)),
    ),
    ...(orchestrator.api === undefined ? [] : [checkApi(orchestrator.api, orchestratorApiToken)]),
  ]);
}
