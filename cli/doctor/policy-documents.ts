import pulumiOperatorData from '../../docs/policies/pulumi-operator-data.json';
import pulumiOperator from '../../docs/policies/pulumi-operator.json';
import pulumiRecover from '../../docs/policies/pulumi-recover.json';

/*
 * The policies of the documents, of which whoever runs Pulumi needs those named here. They are read as they stand in
 * `docs/policies`, so that there is no second list of the rights that an operator needs.
 */

/** One statement of an IAM policy. */
export interface Statement {
  Sid?: string;
  Effect: 'Allow' | 'Deny';
  /** Who may, in policies that belong to a resource or a role. */
  Principal?: string | Record<string, string | string[]>;
  Action: string | string[];
  /** ARNs; absent in trust policies, whose resource is the role itself. */
  Resource?: string | string[];
  /** Operators, each with keys and the values that they are held to. */
  Condition?: Record<string, Record<string, string | string[]>>;
}

/** An IAM policy. */
export interface Policy {
  Version: string;
  Statement: Statement[];
}

/** The policies of whoever runs `pulumi up`, by the names of their files, but for that of the state. */
export const operatorPolicies: Readonly<Record<string, Policy>> = {
  'pulumi-operator': pulumiOperator as Policy,
  'pulumi-operator-data': pulumiOperatorData as Policy,
  'pulumi-recover': pulumiRecover as Policy,
};

/** A value, or a list of values, as a list. */
export function listed<T>(value: T | T[] | undefined): T[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}
