import * as fs from 'node:fs';
import * as path from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { claimsOfStackFile, type Claim } from '../config/claims';
import type { ConfigProblem } from '../config/problem';
import { credentialPaths, oneOf, parseEndpoints, tokenProblems, type FoundFile } from './credentials';
import type { Entry, Reading } from './reading';
import { awsCredentialsWhy } from './sky-mounts';

/** What is wrong with a file as a whole. */
const wrong = (key: string, message: string): ConfigProblem => ({ key, value: undefined, message });

/**
 * Parses a file of an earlier tool. What is wrong with it is told by line, without the line itself, which may hold a
 * secret.
 */
export function parseFile(file: string): { document?: unknown; problems: ConfigProblem[] } {
  if (fs.statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    return {
      problems: [wrong(file, 'is not there; name the config.yaml or the SkyPilot task to move over')],
    };
  }
  const lines = new LineCounter();
  const parsed = parseDocument(fs.readFileSync(file, 'utf8'), { lineCounter: lines, prettyErrors: false });
  if (parsed.errors.length > 0) {
    return {
      problems: parsed.errors.map(({ code, pos: [at] }) => {
        const { line, col } = lines.linePos(at);
        return wrong(
          `${file}:${line}:${col}`,
          code === 'MULTIPLE_DOCS'
            ? 'begins a second document, and a pipeline of tasks is no fleet; leave one'
            : `is no YAML (${code}); correct it`,
        );
      }),
    };
  }
  return { document: parsed.toJS() as unknown, problems: [] };
}

/** The claims of all stack files of a folder. */
export function claimsIn(folder: string): Claim[] {
  return fs.readdirSync(folder).flatMap((file) => {
    const stack = /^Pulumi\.(.+)\.ya?ml$/.exec(file)?.[1];
    return stack === undefined
      ? []
      : claimsOfStackFile(stack, fs.readFileSync(path.join(folder, file), 'utf8'));
  });
}

/** Problems with stack files that are there already. */
export function existing(files: readonly string[]): ConfigProblem[] {
  return files
    .flatMap((file) => [file, file.replace(/yaml$/, 'yml')])
    .filter((file) => fs.existsSync(file))
    .map((file) =>
      wrong(
        file,
        'is there already, and is never overwritten; move it away, or name the new stacks otherwise with --prefix NAME',
      ),
    );
}

/** The credentials beside an earlier configuration. */
export interface Credentials {
  endpoints: string[];
  /** The file with the orchestrator's token, where there is one. */
  token?: FoundFile;
  entries: Entry[];
  problems: ConfigProblem[];
}

/**
 * Finds and reads the credentials that belong to an earlier configuration.
 *
 * @param orchestrators addresses that go before what is found.
 * @param only the one folder to look in.
 */
export function readCredentials(
  file: string,
  files: Reading['files'],
  orchestrators: readonly string[],
  only?: string,
): Credentials {
  const found = (candidates: readonly string[]): FoundFile[] =>
    candidates
      .filter((candidate) => fs.statSync(candidate, { throwIfNoEntry: false })?.isFile() === true)
      .map((candidate) => ({
        file: path.relative('.', candidate),
        text: fs.readFileSync(candidate, 'utf8'),
      }));
  const paths = credentialPaths(path.resolve(path.dirname(file)), files, only);
  const endpoint = oneOf(found(paths.endpoint), 'orchestrator_endpoint');
  const token = oneOf(found(paths.token), 'orchestrator_token');
  const aws = found(paths.aws);
  const asked = orchestrators.length > 0;
  const source = asked ? { file: '--orchestrator', text: orchestrators.join('\n') } : endpoint.file;
  const read =
    source === undefined
      ? { endpoints: [], entries: [], problems: [] }
      : parseEndpoints(source.text, source.file);
  return {
    endpoints: read.endpoints,
    ...(token.file === undefined ? {} : { token: token.file }),
    entries: [
      ...(asked && endpoint.file !== undefined
        ? [{ key: endpoint.file.file, outcome: 'none' as const, why: '--orchestrator goes before it' }]
        : []),
      ...read.entries,
      ...(token.file === undefined ? [] : [tokenEntry(token.file.file)]),
      ...aws.map((one): Entry => ({ key: one.file, outcome: 'none', why: awsCredentialsWhy })),
    ],
    problems: [
      ...(only === undefined || fs.existsSync(only)
        ? []
        : [wrong('--credentials', `${only} is not there; name a folder`)]),
      ...(asked ? [] : endpoint.problems),
      ...read.problems,
      ...token.problems,
      ...(token.file === undefined ? [] : tokenProblems(token.file)),
    ],
  };
}

const tokenEntry = (key: string): Entry => ({
  key,
  outcome: 'changed',
  to: 'skyfleet:orchestratorToken',
  why: 'a Pulumi secret, encrypted in the stack file; delete this file after the cut-over',
});
