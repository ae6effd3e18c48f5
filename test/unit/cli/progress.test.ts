import type { EngineEvent } from '@pulumi/pulumi/automation';
import { advance, newLines, noProgress, progressLines, type StackProgress } from '../../../cli/progress';

const cluster = 'urn:pulumi:dev::skyfleet::skyfleet:bacalhau:BacalhauFleet$skyfleet:sky:SkyCluster';
const command = (name: string): string => `${cluster}$command:local:Command::${name}`;
const vpc = 'urn:pulumi:dev::skyfleet::aws:ec2/vpc:Vpc::vpc';

/** An event of a step: before it, after it, or where it failed. */
function step(
  when: 'resourcePreEvent' | 'resOutputsEvent' | 'resOpFailedEvent',
  urn: string,
  { op = 'create', stdout = '', custom = true } = {},
): EngineEvent {
  const state = { custom, outputs: { stdout } };
  const event: Record<string, unknown> = { [when]: { metadata: { op, urn, type: '', new: state } } };
  return event as unknown as EngineEvent;
}

const after = (events: readonly EngineEvent[], from = noProgress): StackProgress =>
  events.reduce((progress, event, index) => advance(progress, event, 1000 * (index + 1)), from);

test('a place comes up with its two commands', () => {
  const launch = [
    step('resourcePreEvent', command('s-0-submit')),
    step('resOutputsEvent', command('s-0-submit'), { stdout: '{"requestId":"r-1"}' }),
    step('resourcePreEvent', command('s-0-wait')),
    step('resOutputsEvent', command('s-0-wait')),
  ];
  const states = launch.map((_, index) => after(launch.slice(0, index + 1)).places.get('s-0')?.state);
  expect(states).toEqual(['scheduling', 'coming up', 'coming up', 'ready']);
  expect(after(launch).requests).toEqual(new Map([['s-0', 'r-1']]));
  expect(progressLines(after(launch), 60_000)).toEqual(['s-0: ready after 3 s']);
  expect(progressLines(after(launch.slice(0, 2)), 61_000)).toEqual(['s-0: coming up, 60 s']);
});

test('a place goes with its submit command', () => {
  const end = (when: 'resourcePreEvent' | 'resOutputsEvent', name: string): EngineEvent =>
    step(when, command(name), { op: 'delete' });
  expect(after([end('resourcePreEvent', 's-0-wait'), end('resOutputsEvent', 's-0-wait')]).places.size).toBe(
    0,
  );
  const going = after([end('resourcePreEvent', 's-0-submit')]);
  expect(going.places.get('s-0')?.state).toBe('going');
  expect(after([end('resOutputsEvent', 's-0-submit')], going).places.get('s-0')?.state).toBe('gone');
});

test('other resources are counted, and what stays as it is is not', () => {
  const progress = after([
    step('resourcePreEvent', vpc),
    step('resOutputsEvent', vpc),
    step('resourcePreEvent', vpc, { op: 'same' }),
    step('resourcePreEvent', cluster, { custom: false }),
    step('resourcePreEvent', `${vpc}2`),
  ]);
  expect(progressLines(progress, 0)).toEqual(['other resources: 1 of 2']);
});

test('what fails is told, with Pulumi’s errors, each once', () => {
  const error = { diagnosticEvent: { severity: 'error', message: 'no zone has one\n' } } as EngineEvent;
  const progress = after([
    step('resourcePreEvent', command('s-0-wait')),
    step('resOpFailedEvent', command('s-0-wait')),
    error,
    error,
    { diagnosticEvent: { severity: 'info', message: 'launch' } } as EngineEvent,
  ]);
  expect(progress.places.get('s-0')?.state).toBe('failed');
  expect(progress.errors).toEqual(['no zone has one']);
});

test('many places are counted', () => {
  const many = Array.from({ length: 40 }, (_, index) =>
    step(index < 30 ? 'resOutputsEvent' : 'resourcePreEvent', command(`s-${index}-wait`)),
  );
  expect(progressLines(after(many), 0)).toEqual(['places: 30 ready, 10 coming up']);
});

test('a log gets a line for what has come to an end', () => {
  const before = after([step('resourcePreEvent', command('s-0-wait'))]);
  const ready = after([step('resOutputsEvent', command('s-0-wait'))], before);
  expect(newLines(before, ready, 0)).toEqual(['s-0: ready after 0 s']);
  expect(newLines(ready, ready, 0)).toEqual([]);
});
