/**
 * What the conformance tests know of each type: every input it takes, what AWS's own API then says of them, what
 * changes in place, what replaces, and how somebody else would change it behind our back.
 */
import type { Case } from './case';
import { iamCases } from './iam';
import { logCases } from './logs';
import { natCases } from './nat';
import { networkCases } from './network';
import { s3Cases } from './s3';
import { securityGroupCases } from './security-groups';

export const cases: readonly Case[] = [
  ...networkCases,
  ...natCases,
  ...securityGroupCases,
  ...logCases,
  ...iamCases,
  ...s3Cases,
];
