import { migrate as migrateFile, migrationText, type MigrateOptions } from '../../migration/migrate';
import { exitCodes } from '../exit-codes';
import { jsonText } from '../output';

/** The options as the command line has them: in the singular, where each value has an option of its own. */
export interface MigrateCommandOptions extends Omit<
  MigrateOptions,
  'regions' | 'zones' | 'sshCidrs' | 'orchestrators'
> {
  region?: string[];
  zone?: string[];
  sshCidr?: string[];
  orchestrator?: string[];
  json: boolean;
}

/** Writes a stack file for each region of an earlier tool's configuration, and says what became of each of its values. */
export async function migrate(
  file: string,
  { region, zone, sshCidr, orchestrator, json, ...options }: MigrateCommandOptions,
): Promise<number> {
  const report = await migrateFile(file, {
    ...options,
    ...(region === undefined ? {} : { regions: region }),
    ...(zone === undefined ? {} : { zones: zone }),
    ...(sshCidr === undefined ? {} : { sshCidrs: sshCidr }),
    ...(orchestrator === undefined ? {} : { orchestrators: orchestrator }),
  });
  process.stdout.write(json ? jsonText(report) : migrationText(report));
  return report.needed.length > 0 ? exitCodes.undecided : exitCodes.done;
}
