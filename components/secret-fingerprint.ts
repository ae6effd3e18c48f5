import { createHmac } from 'node:crypto';

/** A secret's fingerprint: the same for the same value in one stack, and without the key worth nothing to whoever guesses. */
export const secretFingerprint = (key: string, value: string): string =>
  createHmac('sha256', key).update(value).digest('hex').slice(0, 12);
