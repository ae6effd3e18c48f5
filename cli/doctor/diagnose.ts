import { AwsCli } from '../../deployment/operator/aws-cli';
import { redact } from '../../deployment/operator/command-environment';
import { awsSkipped, checkCredentials, checkPermissions, checkRegion } from './aws';
import { failed, messageOf, ok, skipped, type Check } from './check';
import { checkOrchestrator } from './orchestrator';
import { checkQuotas } from './quotas-asked';
import {
  judgeConfiguration,
  readSettings,
  readState,
  type RecordedState,
  type StackSettings,
} from './settings';
import { checkSkyPilot } from './skypilot';

/** Minutes that one call of the AWS CLI may take, where the configuration does not say. */
const defaultCallMinutes = 5;

/** What was asked for, or the check that says why it is not there. */
type Read<T> = { value: T } | { check: Check };

async function read<T>(check: string, remedy: string, asked: Promise<T>): Promise<Read<T>> {
  try {
    return { value: await asked };
  } catch (error) {
    return { check: failed(check, messageOf(error), remedy) };
  }
}

const noConfiguration = 'needs a configuration without problems';

/** Everything that is asked of AWS, as far as the credentials and the configuration let it be asked. */
async function checkAws(
  settings: StackSettings | undefined,
  recorded: RecordedState | undefined,
): Promise<Check[]> {
  const { region, config } = settings ?? {};
  const skippedQuotas = (reason: string): Check => skipped('quotas', reason);
  const minutes = config?.timeouts.callMinutes ?? defaultCallMinutes;
  const { check, identity } = await checkCredentials(region ?? '', minutes);
  const reason =
    identity === undefined ? 'needs AWS credentials' : 'needs the configuration and the state of the stack';
  if (identity === undefined || region === undefined || recorded === undefined) {
    return [check, ...awsSkipped(reason), skippedQuotas(reason)];
  }
  const aws = new AwsCli(region, minutes);
  const stack = recorded.fullName;
  const checks = await Promise.all([
    checkRegion(aws, config?.network.zones ?? []),
    checkPermissions(aws, identity, stack, config),
    config === undefined
      ? skippedQuotas(noConfiguration)
      : checkQuotas({
          ...{ aws, config, stack },
          hasVpc: recorded.state.urns.some((urn) => urn.includes('aws:ec2/vpc:Vpc::')),
        }),
  ]);
  return [check, ...checks.flat()];
}

/** What is said of AWS where there is no AWS CLI. */
function noAws(): Check[] {
  const reason = 'needs the AWS CLI';
  return [skipped('AWS credentials', reason), ...awsSkipped(reason), skipped('quotas', reason)];
}

async function checkServers(
  { config, secrets }: StackSettings,
  { fullName, state }: RecordedState,
): Promise<Check[]> {
  if (config === undefined) {
    return [skipped('SkyPilot server', noConfiguration), skipped('orchestrator', noConfiguration)];
  }
  const checks = await Promise.all([
    checkSkyPilot({
      config,
      token: secrets.skypilotToken,
      stack: fullName,
      identity: state.server?.identity,
    }),
    checkOrchestrator(config, secrets),
  ]);
  return checks.flat();
}

/**
 * Looks at everything that one stack needs; no check carries a secret of it.
 *
 * @param options.aws whether there is an AWS CLI to ask.
 */
export async function diagnoseStack(
  stack: string,
  options: { configFile: string | undefined; aws: boolean },
): Promise<Check[]> {
  const { configFile } = options;
  const remedy =
    'do what Pulumi says; pulumi login chooses the backend, PULUMI_CONFIG_PASSPHRASE opens its secrets';
  const [settings, state] = await Promise.all([
    read('configuration', remedy, readSettings(stack, configFile)),
    read('stack', remedy, readState(stack)),
  ]);
  const known = 'value' in settings ? settings.value : undefined;
  const recorded = 'value' in state ? state.value : undefined;
  const reason = 'needs the configuration and the state of the stack';
  const groups = await Promise.all([
    options.aws ? checkAws(known, recorded) : noAws(),
    known === undefined || recorded === undefined
      ? [skipped('SkyPilot server', reason), skipped('orchestrator', reason)]
      : checkServers(known, recorded),
  ]);
  const checks = [
    'value' in state ? ok('stack', `${state.value.fullName} is there`) : state.check,
    ...('value' in settings ? judgeConfiguration(settings.value.problems) : [settings.check]),
    ...groups.flat(),
  ];
  const secrets = Object.values(known?.secrets ?? {});
  return checks.map((one) => ({ ...one, detail: redact(one.detail, secrets) }));
}
