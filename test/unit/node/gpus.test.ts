import { nodeScenario, temporaryFolder, writeSettings, type Finished, type Health } from './scripts';

jest.setTimeout(240_000);

interface Offered {
  gpus: number;
  cpuIsThere: boolean;
  labels: Record<string, string>;
}

interface Compute {
  volumes: string[];
  deploy?: unknown;
}

interface Outcome {
  undeclared: { run: Finished; offered: Offered; override: Compute };
  none: Finished;
  fewer: Finished;
  noHook: Finished;
  noHookUndeclared: { run: Finished; offered: Offered };
  both: { run: Finished; offered: Offered; override: Compute };
  notHandedOn: Health;
}

const folder = temporaryFolder();
afterAll(folder.dispose);

let outcome: Outcome;
beforeAll(async () => {
  writeSettings(folder.path);
  outcome = await nodeScenario<Outcome>('gpu_scenario.py', folder.path);
});

const claimsNone = { gpus: 0, cpuIsThere: true, labels: {} };

test('a node without GPUs claims none, whatever programs are installed', () => {
  expect(outcome.undeclared.run.code).toBe(0);
  expect(outcome.undeclared.offered).toEqual(claimsNone);
  expect(outcome.undeclared.override).not.toHaveProperty('deploy');
});

test.each([
  ['none', 'no NVIDIA GPU: there is no /dev/nvidia[0-9]*. Use an instance type that has them'],
  ['fewer', '1 NVIDIA GPU(s): /dev/nvidia0; '],
  ['noHook', "no nvidia-container-runtime-hook. Install NVIDIA's container toolkit"],
] as const)('where the fleet declares more than there are, the run part fails: %s', (which, message) => {
  expect(outcome[which]).toMatchObject({ code: 1, stdout: '' });
  expect(outcome[which].stderr).toContain('the fleet declares accelerators T4: 2, and this node has ');
  expect(outcome[which].stderr).toContain(message);
  expect(outcome[which].stderr).toContain('step "look for GPUs" failed (exit code 1)');
});

test('GPUs that nobody declared and the engine cannot hand on are not claimed', () => {
  expect(outcome.noHookUndeclared.run.code).toBe(0);
  expect(outcome.noHookUndeclared.run.stderr).toContain('the container engine cannot hand them on');
  expect(outcome.noHookUndeclared.offered).toEqual(claimsNone);
});

test('GPUs are handed to the compute node, which offers them and has labels for them', () => {
  expect(outcome.both.run.code).toBe(0);
  expect(outcome.both.override).toEqual({
    volumes: ['/opt/sensor/data:/opt/sensor/data:ro'],
    deploy: {
      resources: {
        reservations: { devices: [{ driver: 'nvidia', count: 2, capabilities: ['gpu', 'utility'] }] },
      },
    },
  });
  expect(outcome.both.offered).toEqual({
    gpus: 2,
    cpuIsThere: true,
    labels: {
      gpus: '2',
      accelerator: 'T4',
      'GPU-0': 'Tesla-T4',
      'GPU-0-Memory': '15360-MiB',
      'GPU-1': 'Tesla-T4',
      'GPU-1-Memory': '15360-MiB',
    },
  });
});

test('the health check notices a compute node that does not see the GPUs of its node', () => {
  expect(outcome.notHandedOn.code).toBe(1);
  expect(outcome.notHandedOn.failed).toEqual({
    'compute node':
      'offers 0 GPU(s) to jobs, while this node has 2 NVIDIA GPU(s): /dev/nvidia0, /dev/nvidia1',
  });
});
