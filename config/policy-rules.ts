/** How grave a finding is: an error blocks an `up` of the project's own command. */
export const severities = ['error', 'warning', 'off'] as const;
export type Severity = (typeof severities)[number];

/**
 * The rules that a review holds a stack to, each with what it finds and how grave that is where the stack file does not
 * say otherwise (`governance.policy`). The rules themselves are in `review/policy/`.
 */
export const policyRules = {
  'open-to-world': { severity: 'error', finds: 'a port that is open to every address' },
  'unencrypted-disk': { severity: 'error', finds: 'a disk without encryption' },
  'unencrypted-bucket': { severity: 'error', finds: 'a bucket without an encryption of its own' },
  'public-bucket': { severity: 'error', finds: 'a bucket that is or could be made public' },
  'imds-v1': { severity: 'error', finds: 'an instance that answers requests for metadata without a token' },
  'wildcard-iam': {
    severity: 'error',
    finds: 'a permission for every action of a service, for every resource, or for everybody',
  },
  'missing-tags': {
    severity: 'error',
    finds: "a resource without the stack's tag or one of `governance.requiredTags`",
  },
  'unpinned-image': { severity: 'error', finds: 'a container image without a fixed tag or digest' },
  'plain-token': { severity: 'error', finds: 'a credential in plain configuration or in a shipped file' },
  'over-budget': { severity: 'error', finds: 'a cost above `governance.budget`' },
  'region-not-allowed': {
    severity: 'error',
    finds: 'a resource in a region that `governance.regions` does not name',
  },
  'unknown-cost': {
    severity: 'warning',
    finds: 'a price that is unknown, where there is a budget to hold it to',
  },
  'nat-without-need': { severity: 'warning', finds: 'a NAT gateway that no node needs' },
  'on-demand-for-spot': {
    severity: 'warning',
    finds: 'a fleet declared as spot whose nodes may be launched on-demand',
  },
  'unpinned-machine-image': {
    severity: 'off',
    finds: "a fleet without `imageId`, whose next node may have a newer image of SkyPilot's than the last",
  },
} as const satisfies Record<string, { severity: Severity; finds: string }>;

export type PolicyRuleName = keyof typeof policyRules;
export const policyRuleNames = Object.keys(policyRules) as [PolicyRuleName, ...PolicyRuleName[]];
