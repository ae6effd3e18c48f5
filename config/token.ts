/**
 * Whether a text can be a token: it travels in an environment file of the compose project, which takes some characters
 * for its own.
 */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text) && !/['"\\$]/.test(text);
}

/** What a token must be, for messages that do not show it. */
export const tokenRule = 'must be visible ASCII without spaces, quotes, $ and \\; make another token';
