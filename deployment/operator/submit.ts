import { required, type CommandEnvironment } from './command-environment';
import { chooseIncarnation, parseSubmission, type Submission } from './incarnation';
import { launch } from './launch';
import { ownServer } from './server-identity';

/** Schedules the launch of what is to stand in a place, and returns at once. */
export async function submit(environment: CommandEnvironment): Promise<Submission> {
  const sky = await ownServer(environment);
  const recorded = parseSubmission(environment['PULUMI_COMMAND_STDOUT']);
  const wanted = {
    stack: required(environment, 'SKYFLEET_STACK'),
    place: required(environment, 'SKYFLEET_PLACE'),
    machine: required(environment, 'SKYFLEET_MACHINE'),
  };
  const { incarnation, retiring } = chooseIncarnation(await sky.status(), wanted, recorded?.incarnation);
  return { incarnation, requestId: await launch(sky, environment, incarnation), retiring };
}
