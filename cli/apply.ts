import { Stack, type LocalWorkspace } from '@pulumi/pulumi/automation';
import { targetsOf } from '../deployment/operator/preview';
import { openProject } from './stacks';
import type { ProgressDisplay } from './progress-display';

/** What Pulumi is to do with a stack. */
export type Change =
  | {
      kind: 'up';
      /** File of the plan to hold to. */
      plan: string;
      /** The places that alone are to change; all where there is none. */
      places?: readonly string[];
      /** Further environment of the program. */
      env?: Record<string, string>;
    }
  | { kind: 'destroy' };

/** A workspace in which a stack is used and not selected: what the user has selected stays so. */
async function stackIn(workspace: LocalWorkspace, stack: string): Promise<Stack> {
  workspace.selectStack = () => Promise.resolve();
  return Stack.select(stack, workspace);
}

/**
 * Has Pulumi change a stack, by its Automation API. Ctrl-C ends Pulumi's steps and releases its lock, and is waited for.
 *
 * @throws Error with Pulumi's own errors.
 */
export async function applyChange(
  stack: string,
  change: Change,
  { configFile, display }: { configFile: string | undefined; display: ProgressDisplay },
): Promise<void> {
  const pulumi = await stackIn(await openProject(change.kind === 'up' ? change.env : {}), stack);
  const stop = new AbortController();
  // A terminal sends Ctrl-C to Pulumi as well; what is sent to this process alone is handed on.
  const ignore = (): void => undefined;
  const end = (): void => stop.abort();
  process.on('SIGINT', ignore).on('SIGTERM', end);
  const options = {
    onEvent: (event: Parameters<ProgressDisplay['advance']>[1]) => display.advance(stack, event),
    signal: stop.signal,
    // Pulumi would decrypt the summary by the default stack file, whichever was named, and give it a passphrase's salt.
    showSecrets: false,
    ...(configFile === undefined ? {} : { configFile }),
  };
  try {
    if (change.kind === 'up') {
      const target = (change.places ?? []).flatMap(targetsOf);
      await pulumi.up({ ...options, plan: change.plan, ...(target.length === 0 ? {} : { target }) });
    } else await pulumi.destroy(options);
  } catch (error) {
    const said = display.errorsOf(stack);
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(said.length > 0 ? said.join('\n') : message, { cause: error });
  } finally {
    process.off('SIGINT', ignore).off('SIGTERM', end);
  }
}
