import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

const checkout = path.join(__dirname, '..', '..', '..');

test('the reference of the package is the one that `make docs` writes, and nothing in it is without a description', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-reference-'));
  try {
    const file = path.join(folder, 'reference.md');
    // In a process of its own: jest cannot load the ES modules that make it.
    const program = ['--import', 'tsx', 'packaging/reference.ts', '--out', file];
    execFileSync(process.execPath, program, { cwd: checkout, stdio: 'pipe' });
    const published = fs.readFileSync(path.join(checkout, 'docs', 'reference.md'), 'utf8');
    expect(fs.readFileSync(file, 'utf8')).toBe(published);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}, 180_000);
