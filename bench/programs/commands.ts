import { local } from '@pulumi/command';
import { given } from './surroundings';

/** A number of bare commands, each with the few variables that a small script would be given. */
for (let index = 0; index < Number(given('BENCH_COUNT')); index++) {
  new local.Command(`command-${index}`, {
    create: given('BENCH_SCRIPT'),
    delete: 'true',
    environment: { NAME: `command-${index}`, REGION: 'us-west-2', ENDPOINT: 'http://127.0.0.1:46580' },
  });
}
