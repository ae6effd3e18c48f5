import { z } from 'zod';

/** Why what a review blocked was applied all the same; stands in the stack's outputs. */
const overrideSchema = z.strictObject({
  /** As it was given. */
  reason: z.string(),
  /** The rules whose findings it was applied against. */
  rules: z.array(z.string()),
  /** When it was given, as ISO 8601. */
  at: z.iso.datetime(),
});

/** Why what a review blocked was applied all the same. */
export type Override = z.infer<typeof overrideSchema>;

/**
 * The override that this `up` is told of, or else the one that the last `up` has left in the outputs.
 *
 * @param told what the project's `up` hands over in `SKYFLEET_OVERRIDE`.
 * @param recorded what stands in the outputs.
 * @throws ZodError where what is handed over is none.
 */
export function currentOverride(told: string | undefined, recorded: unknown): Override | undefined {
  if (told !== undefined && told !== '') return overrideSchema.parse(JSON.parse(told));
  return recorded as Override | undefined;
}
