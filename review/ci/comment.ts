import * as fs from 'node:fs';
import { parseArgs } from 'node:util';
import { reviewMarkdown } from '../markdown';
import { reviewSchema, type Review } from '../model';
import { PullRequest } from './github';

const usage =
  'usage: comment --pull NUMBER --commit COMMIT [--review FILE] [--artifact URL]\n' +
  'Puts a review into the one comment of a pull request, which is updated in place. Without --review, no stack changes.\n' +
  'Reads GITHUB_TOKEN, GITHUB_REPOSITORY and, where it is not https://api.github.com, GITHUB_API_URL.';

/** By this the comment is found again. */
const mark = '<!-- skyfleet review -->';

/** Characters that GitHub takes in a comment (https://docs.github.com/en/rest/issues/comments; 65,536 by its error). */
const longestComment = 65_000;

/** Where a review is of. */
export interface Origin {
  commit: string;
  /** Address of the whole review. */
  artifact?: string;
}

/** A review without what makes it long: diffs of files, and resources one by one. */
function shortened({ version, stacks }: Review): Review {
  return { version, stacks: stacks.map((stack) => ({ ...stack, files: [], resources: [], notes: [] })) };
}

/** The text of the comment: the whole review, or as much of it as GitHub takes. */
export function commentBody(review: Review | undefined, { commit, artifact }: Origin): string {
  const head = `${mark}\n# What this would do to the fleets\n`;
  const foot = `\nOf commit ${commit}.${artifact === undefined ? '' : ` [The whole review](${artifact}).`}\n`;
  const around = head.length + foot.length;
  if (review === undefined) return `${head}\nNothing: no stack changes.\n${foot}`;
  const whole = reviewMarkdown(review);
  if (whole.length + around <= longestComment) return `${head}\n${whole}${foot}`;
  const missing = 'Too long for a comment: diffs of files and single resources are left out.\n\n';
  const short = `${missing}${reviewMarkdown(shortened(review))}`;
  if (short.length + around <= longestComment) return `${head}\n${short}${foot}`;
  const room = longestComment - around - 200;
  // Cut at the end of a line, so that no row of a table is half there.
  const cut = short.slice(0, short.lastIndexOf('\n', room));
  return `${head}\n${cut}\n\n**Cut here: it is longer than a comment may be.**\n${foot}`;
}

/** Puts a text into the pull request's one comment of this kind. */
export async function upsertComment(pull: PullRequest, body: string): Promise<void> {
  const comments = await pull.comments();
  // Whoever else writes the mark into a comment of theirs does not get it overwritten.
  const own = comments.find((one) => one.body?.startsWith(mark) === true && one.user?.type === 'Bot');
  if (own === undefined) await pull.create(body);
  else await pull.update(own.id, body);
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is missing\n${usage}`);
  return value;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      pull: { type: 'string' },
      commit: { type: 'string' },
      review: { type: 'string' },
      artifact: { type: 'string' },
    },
  });
  const { pull, commit, review: file, artifact } = values;
  if (pull === undefined || !/^\d+$/.test(pull) || commit === undefined) throw new Error(usage);
  const review =
    file === undefined ? undefined : reviewSchema.parse(JSON.parse(fs.readFileSync(file, 'utf8')));
  const settings = {
    api: process.env['GITHUB_API_URL'] ?? 'https://api.github.com',
    repository: required('GITHUB_REPOSITORY'),
    token: required('GITHUB_TOKEN'),
  };
  await upsertComment(new PullRequest(settings, Number(pull)), commentBody(review, { commit, artifact }));
}

if (require.main === module) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
