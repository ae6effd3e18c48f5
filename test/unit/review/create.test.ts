import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { planWithOverride } from '../../../review/override';
import { previews, runReview, savedPlan, type Ended } from './fake-pulumi';

let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-review-'))));
afterEach(() => {
  delete process.env['UP_FAILS'];
  delete process.env['OUTPUTS_ARE_LOST'];
  fs.rmSync(folder, { recursive: true });
});

const up = (preview: unknown, ...args: string[]): Ended =>
  runReview(folder, 'create', { us: preview }, '--stack', 'us', ...args);
const containing = (text: string): string => expect.stringContaining(text) as string;

/** How `pulumi up` was called: its arguments, the plan that it was given, and the override; undefined where it was not. */
function called(): { args: string; plan: string; override: string } | undefined {
  const file = path.join(folder, 'up.txt');
  if (!fs.existsSync(file)) return undefined;
  const [args = '', plan = '', override = ''] = fs.readFileSync(file, 'utf8').split('\n');
  return { args, plan, override };
}

test('applies just the plan that it has shown', () => {
  const { status, stdout } = up(previews.changed, '--yes');
  expect(status).toBe(0);
  expect(stdout).toContain('update aws:ec2/vpc:Vpc vpc');
  expect(called()).toMatchObject({
    args: expect.stringMatching(/^up --yes --skip-preview --plan \S+us\.plan .*--stack us/) as string,
    plan: savedPlan,
    override: '',
  });
});

test('a place alone is changed by its own commands', () => {
  expect(up(previews.changed, '--yes', '--place', 's-0').status).toBe(0);
  expect(called()?.args).toMatch(/--target \*\*::s-0-submit --target \*\*::s-0-wait( |$)/);
  expect(
    runReview(
      folder,
      'create',
      { us: previews.changed, eu: previews.changed },
      ...['--stack', 'us', '--stack', 'eu', '--yes', '--place', 's-0'],
    ),
  ).toMatchObject({ status: 1, stderr: containing('--place names places of one stack') });
});

test('what became of each stack can be read as JSON', () => {
  const stacks = { us: previews.changed, eu: previews.unchanged, ap: previews.blocked, sa: {} };
  const names = Object.keys(stacks).flatMap((stack) => ['--stack', stack]);
  const failed = { diagnostics: [{ severity: 'error', message: 'a zone is wrong' }] };
  const { status, stdout, stderr } = runReview(
    folder,
    'create',
    { ...stacks, sa: failed },
    ...[...names, '--yes', '--json'],
  );
  expect(status).toBe(1);
  const created = JSON.parse(stdout) as { stack: string; result: string; problem: string | null }[];
  expect(created.map(({ stack, result }) => [stack, result])).toEqual([
    ['us', 'applied'],
    ['eu', 'unchanged'],
    ['ap', 'blocked'],
    ['sa', 'failed'],
  ]);
  expect(created[3]?.problem).toContain('a zone is wrong');
  expect(stderr).toContain('ap is blocked by missing-tags');
  expect(stderr).toContain('1 of 4 stacks failed: sa\n');
});

test('has nothing applied where nothing changes', () => {
  expect(up(previews.unchanged, '--yes').status).toBe(0);
  expect(called()).toBeUndefined();
});

test('fails as pulumi up does, in its words', () => {
  process.env['UP_FAILS'] = 'yes';
  expect(up(previews.changed, '--yes')).toMatchObject({ status: 1, stderr: containing('the zone is full') });
});

test('asks nobody where there is nobody', () => {
  expect(up(previews.changed)).toMatchObject({
    status: 1,
    stderr: containing('there is nobody to ask: say --yes'),
  });
  expect(called()).toBeUndefined();
});

describe('what is blocked', () => {
  test('is refused', () => {
    const { status, stderr } = up(previews.blocked, '--yes');
    expect(status).toBe(3);
    expect(stderr).toContain(
      'us is blocked by missing-tags. Mend what is found, or say why not: --override REASON',
    );
    expect(called()).toBeUndefined();
  });

  test('is applied with a reason, which the program is told', () => {
    expect(up(previews.blocked, '--yes', '--override', 'tags come with the account').status).toBe(0);
    const override = JSON.parse(called()?.override ?? '') as Parameters<typeof planWithOverride>[1];
    expect(override).toEqual({
      reason: 'tags come with the account',
      rules: ['missing-tags'],
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
    });
    // Pulumi keeps no outputs where they are others than the plan says.
    expect(called()?.plan).toBe(planWithOverride(savedPlan, override));
    const { resourcePlans } = JSON.parse(called()?.plan ?? '') as {
      resourcePlans: Record<string, unknown>;
    };
    expect(Object.values(resourcePlans)).toEqual([
      {
        goal: {
          custom: false,
          outputDiff: { adds: { reviewOverride: override }, deletes: [], updates: { nodes: [] } },
        },
      },
    ]);
  });

  test('is not called done where the reason was not kept', () => {
    process.env['OUTPUTS_ARE_LOST'] = 'yes';
    expect(up(previews.blocked, '--yes', '--override', 'tags come with the account')).toMatchObject({
      status: 1,
      stderr: containing('do not hold the reason of the override'),
    });
  });

  test('needs a reason that says something', () => {
    expect(up(previews.blocked, '--yes', '--override', 'ok')).toMatchObject({
      status: 1,
      stderr: containing('--override must say why'),
    });
  });

  test('is not overridden where there is nothing to override', () => {
    expect(up(previews.changed, '--yes', '--override', 'to be on the safe side')).toMatchObject({
      status: 1,
      stderr: containing('nothing is blocked: leave --override out'),
    });
    expect(called()).toBeUndefined();
  });
});

describe('a saved plan', () => {
  const plan = (): string => path.join(folder, 'plan.json');
  const save = (preview: unknown): Ended =>
    runReview(folder, 'review', { us: preview }, '--stack', 'us', '--save-plan', plan());

  test('is what is applied, whatever a preview says by now', () => {
    expect(save(previews.changed).status).toBe(2);
    expect(up(previews.unchanged, '--yes', '--plan', plan()).status).toBe(0);
    expect(called()).toMatchObject({ args: containing(`--plan ${plan()}`), plan: savedPlan });
  });

  test('stays blocked', () => {
    expect(save(previews.blocked).status).toBe(3);
    expect(up(previews.changed, '--yes', '--plan', plan()).status).toBe(3);
    expect(called()).toBeUndefined();
  });

  test.each<[string, () => void, string]>([
    ['another plan', () => fs.writeFileSync(plan(), 'another'), 'is not the plan that was reviewed'],
    ['no review of it', () => fs.rmSync(`${plan()}.review.json`), 'save a reviewed plan'],
    [
      'one of another version',
      () => fs.writeFileSync(`${plan()}.review.json`, '{}'),
      'is of another version',
    ],
  ])('is refused where there is %s', (_, change, message) => {
    save(previews.changed);
    change();
    expect(up(previews.changed, '--yes', '--plan', plan())).toMatchObject({
      status: 1,
      stderr: containing(message),
    });
    expect(called()).toBeUndefined();
  });

  test('is of its own stack', () => {
    save(previews.changed);
    const other = runReview(
      folder,
      'create',
      { eu: previews.changed },
      '--stack',
      'eu',
      '--yes',
      '--plan',
      plan(),
    );
    expect(other).toMatchObject({ status: 1, stderr: containing('is a plan of stack us, not of eu') });
  });
});
