import * as pulumi from '@pulumi/pulumi';
import { readRecordedStack, type RecordedStack } from '../deployment/operator/recorded-state';

/**
 * Full name of the stack that runs, `organization/project/stack`. Instances carry it as a tag, and commands are told it.
 */
export const stackName = (): string =>
  `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;

let asked: Promise<RecordedStack> | undefined;

/** What Pulumi has recorded of the stack that runs; it is asked once, when this is first called. */
export function recordedStack(): Promise<RecordedStack> {
  if (asked === undefined) {
    asked = readRecordedStack(stackName());
    // Whoever awaits it is told; that it fails before anybody does must not end the program.
    asked.catch(() => undefined);
  }
  return asked;
}
