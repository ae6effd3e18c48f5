import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import * as tls from 'node:tls';

/** When a server speaks TLS: never, after its greeting, or from the first byte on, as a proxy before it does. */
export type TlsKind = 'none' | 'after greeting' | 'first';

/** A certificate for 127.0.0.1 that is its own authority. */
export interface Certificate {
  cert: string;
  key: string;
}

/** Makes one, in a folder. */
export function makeCertificate(folder: string): Certificate {
  const [cert, key] = ['server.crt', 'server.key'].map((name) => path.join(folder, name)) as [string, string];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=orchestrator'],
      ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    ],
    { stdio: 'ignore' },
  );
  return { cert: fs.readFileSync(cert, 'utf8'), key: fs.readFileSync(key, 'utf8') };
}

/** A peer that speaks as much of NATS as it takes to be greeted: INFO, CONNECT with a token, PING. */
export class NatsServer {
  /** The tokens that were sent, in order. */
  readonly tokens: string[] = [];
  private readonly server: net.Server;
  private readonly sockets = new Set<net.Socket>();

  constructor(
    private readonly token: string,
    private readonly kind: TlsKind = 'none',
    private readonly certificate?: Certificate,
  ) {
    const greet = (socket: net.Socket): void => this.greet(socket);
    this.server = kind === 'first' ? tls.createServer({ ...certificate }, greet) : net.createServer(greet);
    this.server.on('connection', (socket: net.Socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
    });
    this.server.on('tlsClientError', () => undefined);
  }

  /** Its address, as a stack file names it. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `nats://127.0.0.1:${(this.server.address() as net.AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private greet(socket: net.Socket): void {
    socket.on('error', () => undefined);
    const info = {
      ...{ server_id: 'test', server_name: 'test', version: '2.10.0', proto: 1, headers: true },
      ...{ max_payload: 1_048_576, auth_required: true, tls_required: this.kind === 'after greeting' },
    };
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    if (this.kind !== 'after greeting') {
      this.converse(socket);
      return;
    }
    const secured = new tls.TLSSocket(socket, { isServer: true, ...this.certificate });
    secured.on('error', () => undefined);
    this.converse(secured);
  }

  private converse(socket: net.Socket): void {
    let received = '';
    socket.on('data', (data: Buffer) => {
      received += data.toString();
      const lines = received.split('\r\n');
      received = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('CONNECT ')) {
          const { auth_token } = JSON.parse(line.slice('CONNECT '.length)) as { auth_token?: string };
          this.tokens.push(auth_token ?? '');
          if (auth_token !== this.token) socket.end("-ERR 'Authorization Violation'\r\n");
        }
        if (line === 'PING' && this.tokens.at(-1) === this.token) socket.write('PONG\r\n');
      }
    });
  }
}
