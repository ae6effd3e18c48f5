import * as net from 'node:net';
import { askNats } from '../../../../cli/doctor/nats';
import { judgeEndpoint } from '../../../../cli/doctor/orchestrator';
import { temporaryFolder } from '../../node/scripts';
import { makeCertificate, NatsServer, type TlsKind } from './nats-server';

const token = 'planted-token-of-the-nodes';
const folder = temporaryFolder();
const certificate = makeCertificate(folder.path);
const plain = { endpoints: [] };
const withTls = (handshakeFirst: boolean) => ({
  ...plain,
  tls: { handshakeFirst, caCert: certificate.cert },
});
const servers: NatsServer[] = [];

async function serve(kind: TlsKind = 'none'): Promise<{ server: NatsServer; address: string }> {
  const server = new NatsServer(token, kind, certificate);
  servers.push(server);
  return { server, address: await server.start() };
}
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});
afterAll(folder.dispose);

test('an orchestrator that takes the token', async () => {
  const { server, address } = await serve();
  expect(await askNats(address, token, plain)).toEqual({ kind: 'accepted', asksToken: true, tls: false });
  expect(server.tokens).toEqual([token]);
});

test('one that refuses it is told apart from one that is not there', async () => {
  const { server, address } = await serve();
  const refused = await askNats(address, 'another', plain);
  expect(refused.kind).toBe('refused');
  expect(judgeEndpoint(address, refused)).toMatchObject({
    state: 'failed',
    detail: expect.stringContaining('refuses the token') as string,
    remedy: expect.stringContaining('skyfleet:orchestratorToken') as string,
  });
  await server.stop();
  servers.pop();
  const gone = await askNats(address, token, plain);
  expect(gone).toMatchObject({
    kind: 'unreachable',
    message: expect.stringContaining('ECONNREFUSED') as string,
  });
  expect(judgeEndpoint(address, gone)).toMatchObject({
    state: 'failed',
    remedy: expect.stringContaining('skyfleet:orchestrator.endpoints') as string,
  });
});

test('a server that is silent, or speaks something else, is not one', async () => {
  const other = net.createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as net.AddressInfo;
  expect((await askNats(`nats://127.0.0.1:${port}`, token, plain)).kind).toBe('unreachable');
  await new Promise((resolve) => other.close(resolve));
});

test.each(['after greeting', 'first'] as const)(
  'TLS %s, with the authority of the stack file',
  async (kind) => {
    const { server, address } = await serve(kind);
    const first = kind === 'first';
    expect(await askNats(address, token, withTls(first))).toEqual({
      kind: 'accepted',
      asksToken: true,
      tls: true,
    });
    expect((await askNats(address, 'another', withTls(first))).kind).toBe('refused');
    expect(server.tokens).toEqual([token, 'another']);
  },
);

test.each(['after greeting', 'first'] as const)(
  'TLS %s gets no token where its certificate is of another authority',
  async (kind) => {
    const { server, address } = await serve(kind);
    const answer = await askNats(address, token, {
      ...plain,
      tls: { handshakeFirst: kind === 'first' },
    });
    expect(answer).toMatchObject({
      kind: 'unreachable',
      message: expect.stringMatching(/certificate/) as string,
    });
    expect(server.tokens).toEqual([]);
  },
);

test('one without TLS gets no token where TLS is demanded', async () => {
  const { server, address } = await serve();
  expect((await askNats(address, token, withTls(false))).kind).toBe('unreachable');
  expect((await askNats(address, token, withTls(true))).kind).toBe('unreachable');
  expect(server.tokens).toEqual([]);
});
