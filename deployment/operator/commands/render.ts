import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { readNodeFiles } from '../node-files';
import { previewStack } from '../preview';
import { plannedPlaces, renderPlace } from '../render';

const usage =
  'usage: render --stack NAME [--out FOLDER] [--config-file FILE] [--json]\n' +
  'Writes the SkyPilot task and configuration of each cluster of a stack as files for `sky launch`.';

/** The files of one place, as `--json` lists them. */
interface WrittenPlace {
  place: string;
  cluster: string;
  task: string;
  config: string;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      stack: { type: 'string' },
      out: { type: 'string' },
      'config-file': { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const { stack, json } = values;
  if (stack === undefined || stack === '') throw new Error(usage);
  const out = values.out ?? path.join('rendered', stack);

  const files = readNodeFiles();
  const configFile = values['config-file'];
  const file = configFile === undefined ? [] : ['--config-file', configFile];
  const rendered = plannedPlaces(await previewStack(stack, ['--show-sames', ...file])).map((place) =>
    renderPlace(place, files),
  );
  fs.mkdirSync(out, { recursive: true });
  const written = rendered.map(({ place, cluster, task, config, notKnown }): WrittenPlace => {
    const files = { task: path.join(out, `${place}.yaml`), config: path.join(out, `${place}.config.yaml`) };
    fs.writeFileSync(files.task, task);
    fs.writeFileSync(files.config, config);
    for (const file of notKnown) {
      process.stderr.write(
        `${place}: ${file} is known only after the first pulumi up; ${files.task} holds a placeholder\n`,
      );
    }
    return { place, cluster, ...files };
  });
  if (json) process.stdout.write(`${JSON.stringify(written, null, 2)}\n`);
  else {
    for (const { cluster, task, config } of written) {
      process.stdout.write(`sky launch -c ${cluster} --config ${config} ${task}\n`);
    }
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
