import * as fs from 'node:fs';
import * as path from 'node:path';
import { policyFolder } from '../../policies';

const checkout = path.join(__dirname, '..', '..', '..');
const documents = [
  'README.md',
  ...fs
    .readdirSync(path.join(checkout, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];
const textOf = (document: string): string => fs.readFileSync(path.join(checkout, document), 'utf8');

/** A document without its fenced code. */
const proseOf = (text: string): string => text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '');

/** The anchors that GitHub gives to the headings of a document. */
function anchorsOf(text: string): string[] {
  const seen = new Map<string, number>();
  return [...proseOf(text).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map(([, heading = '']) => {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** Links of a document to other files of the repository, or to its own headings. */
function linksOf(text: string): string[] {
  return [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

test('anchors are those that GitHub makes', () => {
  const text =
    '# `node.json`\n\n```\n# no heading\n```\n\n## S3, by role\n\n## S3, by role\n\n### [A](b) – c\n';
  expect(anchorsOf(text)).toEqual(['nodejson', 's3-by-role', 's3-by-role-1', 'a--c']);
});

test('links in code are none', () => {
  expect(linksOf('[a](b.md#c) [d](https://e)\n\n```\n[f](g)\n```\n')).toEqual(['b.md#c']);
});

test.each(documents)('the links of %s lead somewhere', (document) => {
  const broken = linksOf(textOf(document)).filter((link) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? document : path.posix.join(path.posix.dirname(document), file);
    if (!fs.existsSync(path.join(checkout, target))) return true;
    return anchor !== undefined && !anchorsOf(textOf(target)).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test.each(documents)('the policies that %s names are there', (document) => {
  const named = textOf(document).match(/docs\/policies\/[\w-]+\.json/g) ?? [];
  expect(named.filter((file) => !fs.existsSync(path.join(checkout, file)))).toEqual([]);
});

test('every policy is described in one of the documents', () => {
  const linked = ['docs/aws.md', 'docs/ci.md'].flatMap((document) => linksOf(textOf(document)));
  const files = fs.readdirSync(policyFolder).map((file) => `policies/${file}`);
  expect(files.filter((file) => !linked.includes(file))).toEqual([]);
});
