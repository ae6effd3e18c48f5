import { z } from 'zod';
import { changeClasses } from '../config/change-classes';

/*
 * What a review holds, as JSON. `docs/review.schema.json` is made from this; a field is added with a new version only where
 * a reader of the old one would misunderstand.
 */

/** Kinds of operations: a new place, the classes of change, what is repaired, and what is taken back. */
export const kinds = [
  'launch',
  ...changeClasses.filter((one) => one !== 'none'),
  'repair',
  'revert',
] as const;

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

const stackReview = z.strictObject({
  stack: z.string(),
  operations: z.array(operation),
  nodes,
  drift: z
    .array(z.strictObject({ place: z.string(), what: z.string() }))
    .describe('What is not as the last up left it.'),
  files: z.array(textDiff),
  resources: z.array(resource),
  notes: z.array(z.string()).describe('What else the preview says.'),
  changes: z.boolean().describe('Whether an up would do anything.'),
});

export const reviewSchema = z.strictObject({
  version: z.literal(1),
  stacks: z.array(stackReview).min(1),
});

export type Review = z.infer<typeof reviewSchema>;
export type StackReview = z.infer<typeof stackReview>;
export type Operation = z.infer<typeof operation>;
export type OperationKind = Operation['kind'];
export type TextDiff = z.infer<typeof textDiff>;
export type ReviewedResource = z.infer<typeof resource>;

/** Whether a text names a kind of operation. */
export const isKind = (text: string): text is OperationKind => (kinds as readonly string[]).includes(text);

/** Exit codes of a review, as scripts may read them. */
export const exitCodes = { unchanged: 0, failed: 1, changes: 2 } as const;

export const exitCodeOf = ({ stacks }: Review): number =>
  stacks.some(({ changes }) => changes) ? exitCodes.changes : exitCodes.unchanged;

/** The JSON schema of a review, as `docs/review.schema.json` holds it. */
export const reviewJsonSchema = (): string => `${JSON.stringify(z.toJSONSchema(reviewSchema), null, 2)}\n`;
