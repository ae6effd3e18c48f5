import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

const checkout = path.resolve(__dirname, '../../..');

/** A program that has a key, says so, and goes on. */
const program = `
  import { SshKeys } from '${path.join(checkout, 'cli/fleet/ssh.ts')}';
  const sky = { sshAccess: async () => [{ user: 'ubuntu', privateKey: 'the key', proxyCommand: undefined }] };
  const keys = new SshKeys({ server: async () => sky } as never);
  void keys.target({ incarnation: 's-0-aaaa' } as never).then(({ keyFile }) => console.log(keyFile));
  setInterval(() => undefined, 1000);
`;

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('keys go with the command, also where it is ended by %s', async (signal, code) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-keys-'));
  try {
    const file = path.join(folder, 'program.ts');
    fs.writeFileSync(file, program);
    const child = spawn(process.execPath, ['--import', 'tsx', file], {
      cwd: checkout,
      env: { ...process.env, TMPDIR: folder, XDG_STATE_HOME: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    const keyFile = said.toString().trim();
    expect(fs.readFileSync(keyFile, 'utf8')).toBe('the key');
    expect(fs.statSync(keyFile).mode & 0o777).toBe(0o600);
    child.kill(signal);
    await once(child, 'close');
    expect(child.exitCode).toBe(code);
    expect(fs.existsSync(keyFile)).toBe(false);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
