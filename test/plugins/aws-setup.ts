/** An emulated account with things in it, and a plugin that is configured for it. */
import type { Properties } from '../../local/plugins/properties';
import { type Ground, type Sdk, layGround, sdkFor } from './aws-cases/ground';
import type { Home } from './binaries';
import { type Moto, startMoto } from './moto';
import { PluginProcess } from './plugin-process';

export interface AwsSetup {
  readonly moto: Moto;
  readonly plugin: PluginProcess;
  readonly sdk: Sdk;
  readonly ground: Ground;
  /** A plugin beside the first, configured in another way. */
  readonly start: (config: Properties, env?: Record<string, string>) => Promise<PluginProcess>;
  stop(): Promise<void>;
}

/** So that a plugin finds nothing of the machine that the tests run on. */
const APART = {
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
};

export async function setUpAws(makeHome: () => Promise<Home>): Promise<AwsSetup> {
  const undo: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.reverse()) await step();
  };
  try {
    const moto = await startMoto();
    undo.push(() => moto.stop());
    const home = await makeHome();
    undo.push(() => home.remove());
    const binary = await home.binary('aws');
    const start = async (config: Properties, env: Record<string, string> = {}) => {
      const started = await PluginProcess.start(binary, config, { ...APART, ...env });
      undo.push(() => started.stop());
      return started;
    };
    const plugin = await start(moto.config);
    const sdk = sdkFor(moto.url);
    return { moto, plugin, sdk, ground: await layGround(sdk), start, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
