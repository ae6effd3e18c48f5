import * as pulumi from '@pulumi/pulumi';
import { readRecordedStack } from '../deployment/operator/recorded-state';

/** Full name of the stack that runs, `organization/project/stack`. */
export const stackName = (): string =>
  `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;

/**
 * What Pulumi has recorded of the stack that runs. It is asked for as soon as this module is loaded, and whoever loads it
 * before all else has the CLI work while the rest of the program is loaded, which takes about as long.
 */
export const recordedStack = readRecordedStack(stackName());

// Whoever awaits it is told; that it fails before anybody does must not end the program.
recordedStack.catch(() => undefined);
