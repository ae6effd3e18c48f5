import * as path from 'node:path';
import type { ConfigProblem } from '../config/problem';
import { isToken, tokenRule } from '../config/token';
import type { Entry, Reading } from './reading';

/** The credential files of the earlier tools, by name. */
export const credentialFiles = {
  endpoint: 'orchestrator_endpoint',
  token: 'orchestrator_token',
} as const;

/** Names of files with AWS keys, which are not taken over. */
const awsFiles = ['aws-credentials', 'aws/credentials', 'etc/aws/credentials'];

/**
 * Folders beside an earlier configuration in which its credentials may stand, as its versions had them: `files` (setup.py
 * of both tools), `instance-files` and `credentials` (amauo's defaults and README), `deployment` and `deployment-new`
 * with `etc/bacalhau` below, and the folders of their upload trees.
 */
const usualFolders = [
  'files',
  'instance-files',
  'deployment-files',
  'deployment',
  'deployment-new',
  'credentials',
];
const foldersBelow = ['', 'etc/bacalhau', 'bacalhau', 'opt/uploaded_files'];

/** Files that may be there, without a word about their contents. */
export interface CredentialPaths {
  endpoint: string[];
  token: string[];
  aws: string[];
}

/**
 * Where credentials may be, the likeliest first.
 *
 * @param folder of the earlier configuration.
 * @param only the one folder to look in, where the user has named one.
 */
export function credentialPaths(folder: string, files: Reading['files'], only?: string): CredentialPaths {
  if (only !== undefined) {
    const inside = (name: string): string[] => [path.join(only, name)];
    return {
      endpoint: inside(credentialFiles.endpoint),
      token: inside(credentialFiles.token),
      aws: awsFiles.flatMap(inside),
    };
  }
  // A task is launched from the folder that its mounts are relative to, which is its own or the one above.
  const bases = files.mounted.length > 0 ? [folder, path.dirname(folder)] : [folder];
  const roots = bases.flatMap((base) =>
    [...(files.folder === undefined ? [] : [files.folder]), ...usualFolders].map((root) =>
      path.resolve(base, root),
    ),
  );
  const named = (name: string): string[] => [
    ...files.mounted
      .filter((source) => path.basename(source) === name)
      .flatMap((source) => bases.map((base) => path.resolve(base, source))),
    ...roots.flatMap((root) => foldersBelow.map((below) => path.join(root, below, name))),
  ];
  return {
    endpoint: [...new Set(named(credentialFiles.endpoint))],
    token: [...new Set(named(credentialFiles.token))],
    aws: [
      ...new Set([
        ...named('aws-credentials'),
        ...roots.flatMap((root) => awsFiles.map((name) => path.join(root, name))),
      ]),
    ],
  };
}

/** A file that was found, with what it says. */
export interface FoundFile {
  file: string;
  text: string;
}

/** The one file among those that say the same; several that differ are a problem, told without their contents. */
export function oneOf(
  found: readonly FoundFile[],
  name: string,
): { file?: FoundFile; problems: ConfigProblem[] } {
  const [first, ...others] = found;
  const other = others.find(({ text }) => text.trim() !== first?.text.trim());
  if (first === undefined || other === undefined) {
    return { ...(first === undefined ? {} : { file: first }), problems: [] };
  }
  const message = `stands in ${first.file} and, otherwise, in ${other.file}; say which holds with --credentials FOLDER`;
  return { problems: [{ key: name, value: undefined, message }] };
}

/** What is wrong with a token that a file holds; the token is not shown. */
export function tokenProblems({ file, text }: FoundFile): ConfigProblem[] {
  const token = text.trim();
  if (isToken(token)) return [];
  return [
    { key: file, value: undefined, message: token === '' ? 'is empty; put the token into it' : tokenRule },
  ];
}

/**
 * The orchestrators that a text names, one a line or divided by commas, as Skyfleet takes them: scheme and port, which
 * people leave out, are written out.
 */
export function parseEndpoints(
  text: string,
  key: string,
): { endpoints: string[]; entries: Entry[]; problems: ConfigProblem[] } {
  const written = text.split(/[\s,]+/).filter((part) => part !== '');
  if (written.length === 0) {
    return {
      endpoints: [],
      entries: [],
      problems: [{ key, value: undefined, message: 'is empty; name the orchestrator' }],
    };
  }
  const read = written.map((address) => parseEndpoint(address, key));
  return {
    endpoints: read.flatMap(({ endpoint }) => (endpoint === undefined ? [] : [endpoint])),
    entries: read.flatMap(({ entry }) => (entry === undefined ? [] : [entry])),
    problems: read.flatMap(({ problem }) => (problem === undefined ? [] : [problem])),
  };
}

function parseEndpoint(
  address: string,
  key: string,
): { endpoint?: string; entry?: Entry; problem?: ConfigProblem } {
  if (address.includes('@')) {
    const message = `holds a name or a token before the @; leave it out, and put the token into ${credentialFiles.token}`;
    return { problem: { key, value: undefined, message } };
  }
  const [, scheme = 'nats', host = '', port = '4222'] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^\s/:]+)(?::(\d+))?\/?$/i.exec(address) ?? [];
  if (host === '' || scheme !== 'nats') {
    const message =
      'must be nats://host:port, also with TLS, which skyfleet:orchestrator.tls asks for in the stack file; correct it';
    return { problem: { key, value: address, message } };
  }
  const endpoint = `nats://${host}:${port}`;
  const entry = { key, value: address, to: 'skyfleet:orchestrator.endpoints' };
  return {
    endpoint,
    entry:
      endpoint === address
        ? { ...entry, outcome: 'taken' }
        : { ...entry, outcome: 'changed', why: `is ${endpoint}: Skyfleet writes scheme and port out` },
  };
}
