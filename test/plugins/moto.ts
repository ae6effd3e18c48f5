/** A plain moto server on a free loopback port: an AWS that the tests may do anything to. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Moto {
  readonly url: string;
  /** The provider configuration that leads there, as Pulumi hands it to a plugin. */
  readonly config: Record<string, string>;
  stop(): Promise<void>;
}

const START_SECONDS = 60;

export async function startMoto(): Promise<Moto> {
  const python = process.env['SKYFLEET_PYTHON'];
  if (python === undefined) {
    throw new Error('SKYFLEET_PYTHON is not set: name a Python that has moto[server] (make test does)');
  }
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (data: Buffer) => {
    errors = (errors + data.toString()).slice(-4000);
  });
  let failure: string | undefined;
  child.on('error', ({ message }) => {
    failure = message;
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const deadline = Date.now() + START_SECONDS * 1000;
  while (!(await answers(url))) {
    if (failure !== undefined || child.exitCode !== null) {
      throw new Error(
        `${python} -m moto.server does not start (does it have moto[server]?): ${failure ?? errors}`,
      );
    }
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`moto at ${url} does not answer after ${START_SECONDS} s: ${errors}`);
    }
    await sleep(100);
  }
  return { url, stop, config: configurationFor(url) };
}

/** The skips are for the real plugin, which otherwise asks services that are not there. */
function configurationFor(url: string): Record<string, string> {
  return {
    region: 'us-west-2',
    accessKey: 'test',
    secretKey: 'test',
    endpoints: JSON.stringify([{ ec2: url, iam: url, logs: url, s3: url, sts: url }]),
    s3UsePathStyle: 'true',
    skipCredentialsValidation: 'true',
    skipMetadataApiCheck: 'true',
    skipRegionValidation: 'true',
    skipRequestingAccountId: 'true',
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/moto-api/`)).ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
