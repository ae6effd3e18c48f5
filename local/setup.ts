import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheRoot } from './tools/cache';
import { BACALHAU, ensureGoTool } from './tools/go';
import { ensureOnHost, HOST_REQUIREMENTS } from './tools/host';
import { ensureImages, type Images } from './tools/images';
import { ensurePulumi } from './tools/pulumi';
import { ensurePythonEnvironment } from './tools/python';

/** Everything that a rig is made of; the paths are absolute. */
export interface Tools {
  pulumi: string;
  pulumiLanguageNodejs: string;
  bacalhau: string;
  /** The virtual environment with SkyPilot, moto and the AWS CLI. */
  venv: string;
  python: string;
  images: Images;
}

/** Sets up what is missing; costs a fraction of a second where nothing is. */
export async function ensureTools(): Promise<Tools> {
  const root = cacheRoot();
  await mkdir(root, { recursive: true });
  await ensureOnHost(HOST_REQUIREMENTS);
  // Compiling keeps every core busy, so the Go programs come one after the other, beside what waits for the network.
  const bacalhau = ensureGoTool(root, BACALHAU);
  const pulumi = bacalhau.then(() => ensurePulumi(root));
  const venv = ensurePythonEnvironment(root);
  const images = ensureImages(root, venv, bacalhau);
  // A failure is reported once the others have ended too, so that nothing goes on behind the message.
  await Promise.allSettled([bacalhau, pulumi, venv, images]);
  return {
    pulumi: (await pulumi).pulumi,
    pulumiLanguageNodejs: (await pulumi).languageHost,
    bacalhau: await bacalhau,
    venv: await venv,
    python: join(await venv, 'bin', 'python'),
    images: await images,
  };
}
