import { migrate, type MigrateOptions } from '../../../migration/migrate';

// A move as a program of its own: the PATH of a test is not that of the programs which jest's own process starts.
const [file = '', options = '{}'] = process.argv.slice(2);
migrate(file, JSON.parse(options) as MigrateOptions).then(
  (report) => process.stdout.write(JSON.stringify(report)),
  (error: unknown) => {
    process.stderr.write((error as Error).message);
    process.exitCode = 1;
  },
);
