import { once } from 'node:events';
import * as net from 'node:net';
import * as tls from 'node:tls';

/** A port of this machine that leads through TLS to another one. */
export interface TlsRelay {
  port: number;
  close: () => void;
}

/**
 * Leads one connection to a server behind a proxy that ends TLS.
 *
 * The NATS client can begin with TLS itself (`handshakeFirst`), but then wants to read in the server's greeting that it has
 * TLS (`checkOptions` of nats-core 3.4.0), which a server behind such a proxy cannot know. Bacalhau's client does not ask
 * for that. Once the library does not either, this relay can go.
 *
 * @param ca PEM text of the authority, where it is not a public one.
 * @throws Error where no TLS comes about in time.
 */
export async function relayTls(
  { host, port, ca }: { host: string; port: number; ca: string | undefined },
  milliseconds: number,
): Promise<TlsRelay> {
  const secured = tls.connect({ host, port, ...(ca === undefined ? {} : { ca }) });
  try {
    await once(secured, 'secureConnect', { signal: AbortSignal.timeout(milliseconds) });
  } catch (error) {
    secured.destroy();
    const late = (error as Error).name === 'AbortError';
    throw late ? new Error(`no TLS within ${milliseconds / 1000} s`, { cause: error }) : error;
  }
  const server = net.createServer((socket) => {
    socket.on('error', () => secured.destroy());
    secured.on('error', () => socket.destroy());
    secured.on('close', () => socket.destroy());
    socket.pipe(secured).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    close: () => {
      server.close();
      secured.destroy();
    },
  };
}
