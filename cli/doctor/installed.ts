import { version as awsSdk } from '@pulumi/aws/package.json';
import { version as commandSdk } from '@pulumi/command/package.json';
import { version as pulumiSdk } from '@pulumi/pulumi/package.json';
import { engines } from '../../package.json';
import { runChild } from '../../deployment/operator/child-process';
import { messageOf, skipped, type Check } from './check';
import {
  judgeNode,
  judgePlugin,
  judgeProgram,
  judgePulumi,
  judgePython,
  type Answer,
  type InstalledPlugin,
} from './programs';

/** Minutes that a program may take to tell its version. */
const versionMinutes = 0.5;

/** Resource plugins of the program, each in the version of the SDK that is installed beside it. */
const plugins: Record<string, string> = { aws: awsSdk, command: commandSdk };

/** Asks a program for its version; some print it on standard error. */
async function ask(...argv: [string, ...string[]]): Promise<Answer> {
  try {
    const { code, stdout, stderr } = await runChild(argv, { minutes: versionMinutes });
    const said = (stdout.trim() === '' ? stderr : stdout).trim();
    return code === 0 ? { printed: said } : { problem: `${argv.join(' ')} ended with ${code}: ${said}` };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

async function checkPlugins(): Promise<Check[]> {
  const answer = await ask('pulumi', 'plugin', 'ls', '--json');
  return Object.entries(plugins).map(([name, version]) =>
    'problem' in answer
      ? skipped(`Pulumi plugin ${name}`, `Pulumi does not tell its plugins: ${answer.problem}`)
      : judgePlugin(JSON.parse(answer.printed) as InstalledPlugin[], name, version),
  );
}

/** Looks at the programs that Skyfleet runs on this machine. */
export async function checkPrograms(): Promise<Check[]> {
  const [pulumi, pluginChecks, aws, ssh, python] = await Promise.all([
    ask('pulumi', 'version'),
    checkPlugins(),
    ask('aws', '--version'),
    ask('ssh', '-V'),
    ask('python3', '--version'),
  ]);
  return [
    judgeNode(process.versions.node, engines.node),
    judgePulumi(pulumi, pulumiSdk),
    ...pluginChecks,
    judgeProgram('AWS CLI', aws, 'install it: https://docs.aws.amazon.com/cli/'),
    judgeProgram('ssh', ssh, 'install an OpenSSH client'),
    judgePython(python),
  ];
}
