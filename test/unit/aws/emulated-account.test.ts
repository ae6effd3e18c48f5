import { readdirSync } from 'node:fs';
import { tryRun } from '../../../local/command';
import { cacheRoot } from '../../../local/tools/cache';
import { ensurePythonEnvironment } from '../../../local/tools/python';

// The first run on a machine installs moto.
jest.setTimeout(400_000);

const suites = readdirSync(__dirname).filter((name) => /^test_.*\.py$/.test(name));

test.each(suites)('%s', async (suite) => {
  const python = `${await ensurePythonEnvironment(cacheRoot())}/bin/python`;
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
  const { code, stderr } = await tryRun([python, '-m', 'unittest', suite.replace(/\.py$/, '')], {
    cwd: __dirname,
    env,
  });
  expect({ code, said: code === 0 ? '' : stderr }).toEqual({ code: 0, said: '' });
});
