import * as fs from 'node:fs';
import * as path from 'node:path';
import { sensorRowsJob } from '../../../local/jobs';
import { bacalhau, run, temporaryFolder } from './scripts';

jest.setTimeout(120_000);

const folder = temporaryFolder();
afterAll(folder.dispose);

test('Bacalhau takes the job that counts sensor rows', async () => {
  const file = path.join(folder.path, 'job.json');
  fs.writeFileSync(file, JSON.stringify(sensorRowsJob('local-0-k3f9', 'sensor:1', '1')));
  const { code, stdout } = await run(bacalhau(), ['job', 'validate', file], { HOME: folder.path });
  expect(stdout.trim()).toBe('OK');
  expect(code).toBe(0);
});

test('it runs on that node only, reads only, and has no network', () => {
  const job = sensorRowsJob('local-0-k3f9', 'sensor:1', '1');
  expect(job.Constraints).toEqual([{ Key: 'name', Operator: '=', Values: ['local-0-k3f9'] }]);
  expect(job.Tasks[0]?.Network).toEqual({ Type: 'None' });
  // Without ReadWrite Bacalhau mounts a folder read-only.
  expect(job.Tasks[0]?.InputSources).toEqual([
    { Source: { Type: 'localDirectory', Params: { SourcePath: '/opt/sensor/data' } }, Target: '/sensor' },
  ]);
});

test('each run is a job of its own', () => {
  expect(sensorRowsJob('a', 'sensor:1', '1').Name).not.toBe(sensorRowsJob('a', 'sensor:1', '2').Name);
});
