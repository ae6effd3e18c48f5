import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'yaml';
import { readNodeFiles } from '../../../deployment/operator/node-files';
import {
  notKnownYet,
  plannedPlaces,
  renderPlace,
  type PlannedPlace,
} from '../../../deployment/operator/render';

const checkout = path.join(__dirname, '..', '..', '..');
/** What Pulumi 3.250 printed for a stack that was up, without most of its resources and files. */
const recorded = fs.readFileSync(path.join(__dirname, 'preview.json'), 'utf8');
const files = readNodeFiles();
const unknown = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

/** The one recorded place, with other variables in its environment. */
function place(change: Record<string, unknown> = {}): PlannedPlace {
  const [planned] = plannedPlaces(recorded);
  if (planned === undefined) throw new Error('no place is recorded');
  return { ...planned, environment: { ...planned.environment, ...change } };
}

test('the places of a preview are those of its submit commands, with what they last printed', () => {
  expect(plannedPlaces(recorded).map(({ place: name, stdout }) => [name, stdout])).toEqual([
    ['local-0', expect.stringContaining('"incarnation":"local-0-5ub9"')],
  ]);
});

test('a place that the preview deletes is none', () => {
  expect(plannedPlaces(recorded.replaceAll('"op": "same"', '"op": "delete"'))).toEqual([]);
});

test('what a preview complains of is told without colours', () => {
  const failed = { diagnostics: [{ severity: 'error', message: '\u001b[31mno such zone\u001b[0m\n' }] };
  expect(() => plannedPlaces(JSON.stringify(failed))).toThrow('pulumi preview failed:\nno such zone');
});

test('the rendered task is complete: its files, its incarnation and the stack that it belongs to', () => {
  const { cluster, task, config, notKnown } = renderPlace(place(), files);
  expect(cluster).toBe('local-0-5ub9');
  expect(notKnown).toEqual([]);
  const labels = { 'skyfleet-place': 'local-0', 'skyfleet-incarnation': 'local-0-5ub9' };
  expect(parse(task)).toMatchObject({
    name: 'local-0',
    resources: { labels },
    envs: { SKYFLEET_INCARNATION: 'local-0-5ub9' },
    setup: expect.stringMatching(/cat > 'node\.json'[\s\S]*cat > 'scripts\/setup\.sh'/) as string,
  });
  expect(parse(config)).toMatchObject({ aws: { vpc_names: ['skyfleet-local-vpc'], labels } });
});

test('nothing but the launch is rendered', () => {
  const { task, config } = renderPlace(place({ SKYFLEET_ORCHESTRATOR_TOKEN: 'planted-token' }), files);
  expect(task + config).not.toContain('planted-token');
  expect(task + config).not.toContain('[secret]');
});

test('a place that was never launched gets a name of its own', () => {
  expect(renderPlace({ ...place(), stdout: undefined }, files).cluster).toBe('local-0-new');
});

test('a file that is not known yet is named, and the task holds a placeholder in its place', () => {
  const { task, notKnown } = renderPlace(place({ SKYFLEET_NODE: unknown }), files);
  expect(notKnown).toEqual(['node.json']);
  expect((parse(task) as { setup: string }).setup).toContain(`\n${notKnownYet}END_`);
});

test.each(['SKYFLEET_TASK', 'SKYFLEET_SKYPILOT_CONFIG'])(
  'a place whose %s is not known yet is refused with what to do',
  (variable) => {
    expect(() => renderPlace(place({ [variable]: unknown }), files)).toThrow(
      'local-0: its task names resources that AWS has not made yet; render it again after the first pulumi up',
    );
  },
);

test('a file that is a secret is refused', () => {
  expect(() => renderPlace(place({ SKYFLEET_NODE: '[secret]' }), files)).toThrow(
    'local-0: SKYFLEET_NODE is a secret',
  );
});

describe('the command', () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-render-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  /** Runs the command with a `pulumi` on PATH that prints what was recorded, and its own arguments into a file. */
  function render(
    preview: string,
    ...args: string[]
  ): { status: number | null; stdout: string; stderr: string } {
    fs.writeFileSync(path.join(folder, 'preview.json'), preview);
    const script = [
      '#!/bin/sh',
      'case "$1" in',
      '  version) echo v3.250.0 ;;',
      `  stack) echo '[{"name":"local","current":false}]' ;;`,
      `  *) echo "$@" > ${folder}/arguments; cat ${folder}/preview.json ;;`,
      'esac',
      '',
    ].join('\n');
    fs.writeFileSync(path.join(folder, 'pulumi'), script, { mode: 0o755 });
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` };
    return spawnSync(process.execPath, ['bin/skyfleet.mjs', 'render', ...args], {
      cwd: checkout,
      env,
      encoding: 'utf8',
    });
  }

  test('writes two files for a place and prints the line that launches it', () => {
    const out = path.join(folder, 'out');
    const { status, stdout } = render(recorded, '--stack', 'local', '--out', out, '--config-file', 'my.yaml');
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: `sky launch -c local-0-5ub9 --config ${out}/local-0.config.yaml ${out}/local-0.yaml\n`,
    });
    expect(fs.readdirSync(out).sort()).toEqual(['local-0.config.yaml', 'local-0.yaml']);
    expect(fs.readFileSync(path.join(folder, 'arguments'), 'utf8')).toMatch(
      /^preview --json .*--stack local --show-sames --config-file my\.yaml$/m,
    );
  });

  test('lists the files as JSON, and names on stderr what is a placeholder', () => {
    const out = path.join(folder, 'out');
    const known = (place().environment['SKYFLEET_NODE'] as string | undefined) ?? '';
    const preview = recorded.replace(JSON.stringify(known), JSON.stringify(unknown));
    const { status, stdout, stderr } = render(preview, '--stack', 'local', '--out', out, '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual([
      {
        place: 'local-0',
        cluster: 'local-0-5ub9',
        task: `${out}/local-0.yaml`,
        config: `${out}/local-0.config.yaml`,
      },
    ]);
    expect(stderr).toContain('local-0: node.json is known only after the first pulumi up');
  });

  test('fails without a stack, and where the preview does', () => {
    expect(render(recorded)).toMatchObject({
      status: 1,
      stderr: 'skyfleet: no stack is selected; name one with --stack (stacks: local)\n',
    });
    const failed = JSON.stringify({ diagnostics: [{ severity: 'error', message: 'a zone is wrong' }] });
    expect(render(failed, '--stack', 'local', '--out', folder)).toMatchObject({
      status: 1,
      stderr: 'skyfleet: pulumi preview failed:\na zone is wrong\n',
    });
  });
});
