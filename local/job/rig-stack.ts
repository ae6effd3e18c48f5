import { pulumiEnv, type Rig } from '../rig';
import { inNamespace } from '../rig/namespace';
import { CHECKOUT } from '../rig/paths';
import { LocalStack } from './stack';

/** The stack `local` in a rig, driven from outside of its network. */
export function localStack(rig: Rig): LocalStack {
  return new LocalStack({
    projectDir: CHECKOUT,
    folder: rig.paths.pulumi,
    stack: 'local',
    env: pulumiEnv(rig),
    enter: (argv) => inNamespace(rig.paths, argv),
    orchestratorToken: rig.orchestratorToken,
  });
}
