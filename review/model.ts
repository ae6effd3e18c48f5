import { z } from 'zod';
import { changeClasses } from '../config/change-classes';
import { policyRuleNames, severities } from '../config/policy-rules';

/*
 * What a review holds, as JSON. `docs/review.schema.json` is made from this; a field is added with a new version only where
 * a reader of the old one would misunderstand.
 */

/** Kinds of operations: a new place, the classes of change, what is repaired, and what is taken back. */
export const kinds = ['launch', ...changeClasses, 'repair', 'revert'] as const;

const inputChange = z.strictObject({
  input: z.string().describe('Name of the input in the table of change classes (docs/changes.md).'),
  class: z.enum(changeClasses).describe('What a change of it does to nodes.'),
  from: z.unknown().describe('The value that was last applied; absent where there was none.'),
  to: z.unknown().describe('The value that is declared; absent where there is none.'),
});

const operation = z
  .strictObject({
    kind: z.enum(kinds).describe('A class of change, or launch of a new place, repair, or revert.'),
    reason: z.string().describe('Why, in words.'),
    places: z.array(z.string()).min(1).describe('The places that change so.'),
    changes: z.array(inputChange).describe('The inputs that differ, where the reason is one.'),
  })
  .describe('Places with the same change.');

const nodes = z
  .strictObject({
    added: z.int().describe('Nodes that are launched beside those that are there.'),
    removed: z.array(z.string()).describe('Names of nodes that end and do not come back.'),
    replaced: z.array(z.string()).describe('Names of nodes that end once another one has taken their place.'),
    updated: z.array(z.string()).describe('Names of nodes that are brought up to date on their machine.'),
    identities: z
      .array(z.strictObject({ place: z.string(), why: z.string() }))
      .describe('Places whose nodes become other sensors.'),
  })
  .describe('What happens to nodes.');

const textDiff = z
  .strictObject({
    text: z.string().describe('What differs: a shipped file, or a text that is made for a place.'),
    of: z.array(z.string()).min(1).describe('The fleets or places in which it differs so.'),
    diff: z
      .string()
      .describe('The unified diff of the first of them; empty for a secret, of which only that is told.'),
  })
  .describe('A text that nodes or SkyPilot get, and that differs.');

const resource = z
  .strictObject({
    op: z.string().describe("Pulumi's operation: create, update, delete or replace."),
    type: z.string().describe('Type by Pulumi.'),
    name: z.string(),
    properties: z.array(z.string()).describe('The properties that differ, of an update or a replacement.'),
  })
  .describe('A resource beside the places.');

const amount = z.strictObject({
  count: z.int().describe('How many there are.'),
  monthlyUsd: z
    .number()
    .nullable()
    .describe('US dollars for a month of all of them; null where a price is unknown.'),
});

const sum = z.strictObject({
  monthlyUsd: z.number().describe('US dollars for a month, of all whose price is known.'),
  complete: z.boolean().describe('Whether that is all.'),
});

const cost = z
  .strictObject({
    items: z.array(z.strictObject({ item: z.string(), from: amount, to: amount })),
    total: z.strictObject({ from: sum, to: sum }),
    worstCase: z
      .strictObject({ from: sum, to: sum })
      .describe('The same with every node on-demand, on the dearest of the types that its fleet permits.'),
    hoursPerMonth: z.number().describe('What an hourly price is multiplied by.'),
    machinePrices: z.string().describe('Where the prices of machines are from.'),
    assumptions: z.array(z.string()),
  })
  .describe(
    'What the stack costs: as it is recorded, and as it is to be. Without traffic, requests and taxes.',
  );

const severity = z.enum(severities);

const policy = z
  .strictObject({
    findings: z.array(
      z.strictObject({
        rule: z.enum(policyRuleNames).describe('Name of the rule (docs/policy.md).'),
        severity: severity.exclude(['off']),
        resource: z.string().describe('The resource, place, file or key that it is about.'),
        what: z.string(),
        remedy: z.string(),
      }),
    ),
    settings: z
      .array(z.strictObject({ rule: z.enum(policyRuleNames), severity, reason: z.string() }))
      .describe('Rules that the stack file sets otherwise.'),
    unchecked: z.array(z.string()).describe('What is known only after the up, and was not looked at.'),
  })
  .describe('How the stack does with the rules.');

const secret = z
  .strictObject({
    secret: z.string(),
    from: z.string().nullable().describe('Fingerprint before; null where there was no secret.'),
    to: z.string().nullable().describe('Fingerprint afterwards; null where there is none any more.'),
  })
  .describe(
    'A secret that changes. Fingerprints are keyed with a secret of the stack: they tell equal values of one stack, and nothing else.',
  );

/** What a review says of one stack. */
export const stackReviewSchema = z.strictObject({
  stack: z.string(),
  operations: z.array(operation),
  nodes,
  drift: z
    .array(z.strictObject({ place: z.string(), what: z.string() }))
    .describe('What is not as the last up left it.'),
  cost,
  policy,
  files: z.array(textDiff),
  secrets: z.array(secret),
  resources: z.array(resource),
  notes: z.array(z.string()).describe('What else the preview says.'),
  changes: z.boolean().describe('Whether an up would do anything.'),
  blocked: z.boolean().describe('Whether a finding is an error, so that an up of the project refuses.'),
});

export const reviewSchema = z.strictObject({
  version: z.literal(1),
  stacks: z.array(stackReviewSchema).min(1),
});

export type Review = z.infer<typeof reviewSchema>;
export type StackReview = z.infer<typeof stackReviewSchema>;
export type Operation = z.infer<typeof operation>;
export type OperationKind = Operation['kind'];
export type TextDiff = z.infer<typeof textDiff>;
export type ReviewedResource = z.infer<typeof resource>;
export type SecretChange = z.infer<typeof secret>;

/** Whether a text names a kind of operation. */
export const isKind = (text: string): text is OperationKind => (kinds as readonly string[]).includes(text);

/** The JSON schema of a review, as `docs/review.schema.json` holds it. */
export const reviewJsonSchema = (): string => `${JSON.stringify(z.toJSONSchema(reviewSchema), null, 2)}\n`;
