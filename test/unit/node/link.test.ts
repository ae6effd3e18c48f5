import { scenario } from './scripts';

jest.setTimeout(120_000);

interface Links {
  quietSeconds: number;
  livelySeconds: number;
  peer: string;
  peer6: string;
  foreign: unknown;
  otherPort: unknown;
  closed: unknown;
}

test("a compute node's link is told from its own connection, and from when something was last heard on it", async () => {
  const links = await scenario<Links>('link_scenario.py', []);
  expect(links.quietSeconds).toBeGreaterThan(1.9);
  expect(links.livelySeconds).toBeLessThan(1);
  expect(links.peer).toBe('127.0.0.1');
  expect(links.peer6).toBe('::1');
  expect(links.foreign).toBeNull();
  expect(links.otherPort).toBeNull();
  expect(links.closed).toBeNull();
});

interface Guarded {
  before: { node: boolean; container: boolean };
  answers: string[];
  after: { node: boolean; container: boolean };
}

test('containers are cut from the metadata service, whatever rules an engine puts first; the node is not', async () => {
  const guarded = await scenario<Guarded>('guard_scenario.py', []);
  expect(guarded.before).toEqual({ node: true, container: true });
  expect(guarded.answers).toEqual(['added', 'set']);
  expect(guarded.after).toEqual({ node: true, container: false });
});
