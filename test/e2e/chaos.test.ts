import { startRig, stopRig } from '../../local/rig';
import { Chaos, closingLine, type KillLine } from '../chaos/driver';

jest.setTimeout(40 * 60_000);

/** A few kills of the kind that `make chaos` makes by the hundred. */
const name = 'e2e-chaos';
const seed = Number(process.env['SKYFLEET_CHAOS_SEED'] ?? 20);
const kills = Number(process.env['SKYFLEET_CHAOS_KILLS'] ?? 3);

afterAll(() => stopRig({ name }));

test(`whatever is killed, \`make recover\` leads back to \`up\` and \`destroy\` (seed ${seed})`, async () => {
  const lines: KillLine[] = [];
  const chaos = new Chaos(await startRig({ name }), {
    ...{ kills, seed, commit: 'this', show: () => undefined },
    record: (line) => lines.push(line),
  });
  const totals = await chaos.run();
  expect({ closing: closingLine(totals), failed: lines.filter(({ converged }) => !converged) }).toEqual({
    closing: `kills ${kills}, converged ${kills}, orphans 0, lost 0`,
    failed: [],
  });
});
