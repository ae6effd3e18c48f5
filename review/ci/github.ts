import { ExponentialBackoff, handleType, retry } from 'cockatiel';
import { z } from 'zod';

/** GitHub did not answer, or not now. */
class GitHubUnavailable extends Error {}

const comment = z.object({
  id: z.int(),
  body: z.string().nullish(),
  user: z.object({ type: z.string() }).nullish(),
});

export type IssueComment = z.infer<typeof comment>;

const commentsOfPage = 100;
const requestSeconds = 30;

/** Comments of a pull request, over GitHub's REST interface (https://docs.github.com/en/rest/issues/comments). */
export class PullRequest {
  private readonly policy = retry(handleType(GitHubUnavailable), {
    maxAttempts: 4,
    backoff: new ExponentialBackoff({ initialDelay: 500 }),
  });

  /**
   * @param api address of the interface, such as https://api.github.com.
   * @param repository `owner/name`.
   */
  constructor(
    private readonly settings: { api: string; repository: string; token: string },
    private readonly number: number,
  ) {}

  async comments(): Promise<IssueComment[]> {
    const all: IssueComment[] = [];
    for (let page = 1; ; page++) {
      const path = `issues/${this.number}/comments?per_page=${commentsOfPage}&page=${page}`;
      const comments = z.array(comment).parse(await this.request('GET', path));
      all.push(...comments);
      if (comments.length < commentsOfPage) return all;
    }
  }

  async create(body: string): Promise<void> {
    await this.request('POST', `issues/${this.number}/comments`, { body });
  }

  async update(id: number, body: string): Promise<void> {
    await this.request('PATCH', `issues/comments/${id}`, { body });
  }

  /** @throws Error with what GitHub answered where it refuses. */
  private request(method: string, path: string, body?: unknown): Promise<unknown> {
    const { api, repository, token } = this.settings;
    const once = async (): Promise<unknown> => {
      let response: Response;
      try {
        response = await fetch(`${api}/repos/${repository}/${path}`, {
          method,
          headers: {
            accept: 'application/vnd.github+json',
            authorization: `Bearer ${token}`,
            'x-github-api-version': '2022-11-28',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(requestSeconds * 1000),
        });
      } catch (error) {
        throw new GitHubUnavailable(`${method} ${path}: ${String(error)}`, { cause: error });
      }
      const text = await response.text();
      const answer = `${method} ${path}: GitHub answered ${response.status}: ${text.slice(0, 500)}`;
      if (response.status >= 500 || response.status === 429) throw new GitHubUnavailable(answer);
      if (!response.ok) throw new Error(answer);
      return text === '' ? undefined : (JSON.parse(text) as unknown);
    };
    // A second POST after one whose answer was lost would make a second comment.
    return method === 'POST' ? once() : this.policy.execute(once);
  }
}
