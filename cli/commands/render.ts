import * as fs from 'node:fs';
import * as path from 'node:path';
import { readNodeFiles } from '../../deployment/operator/node-files';
import { previewStack } from '../../deployment/operator/preview';
import { plannedPlaces, renderPlace } from '../../deployment/operator/render';
import { exitCodes } from '../exit-codes';
import { jsonText } from '../output';
import { oneStackOf, type StackChoice } from '../stacks';

/** The files of one place, as `--json` lists them. */
interface WrittenPlace {
  place: string;
  cluster: string;
  task: string;
  config: string;
}

export interface RenderOptions extends StackChoice {
  /** Folder for the files; `rendered/<stack>` where absent. */
  out?: string;
  json: boolean;
}

/** Writes the SkyPilot task and configuration of each cluster of a stack as files for `sky launch`. */
export async function render(options: RenderOptions): Promise<number> {
  const { configFile, json } = options;
  const stack = await oneStackOf(options);
  const out = options.out ?? path.join('rendered', stack);

  const files = readNodeFiles();
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
  if (json) process.stdout.write(jsonText(written));
  else {
    for (const { cluster, task, config } of written) {
      process.stdout.write(`sky launch -c ${cluster} --config ${config} ${task}\n`);
    }
  }
  return exitCodes.done;
}
