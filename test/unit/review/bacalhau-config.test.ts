import { parse } from 'yaml';
import { configRenderer } from '../../../review/bacalhau-config';
import { settings } from '../node/scripts';

const node = { instanceId: 'i-0123', zone: 'us-west-2a' };

/** What the node's own scripts make of settings. */
function made(change: (value: ReturnType<typeof settings>) => void = () => undefined): string {
  const value = settings();
  change(value);
  const render = configRenderer();
  if (render === undefined) throw new Error('there is no python3');
  return render(`${JSON.stringify(value, null, 2)}\n`, node);
}

test('is made by the scripts of the node, for the node that stands', () => {
  expect(parse(made())).toMatchObject({
    Compute: { Orchestrators: ['nats://127.0.0.1:4222'] },
    Labels: { instance_id: 'i-0123', zone: 'us-west-2a', region: 'us-west-2', ordinal: '7', team: 'x' },
    Logging: { Level: 'info' },
  });
});

test('is the same whenever it is made, and names no folder of this machine', () => {
  const withAuthority = (): string =>
    made(({ bacalhau }) => {
      bacalhau.tls = { required: true, handshakeFirst: false, caCert: '-----BEGIN CERTIFICATE-----\n' };
    });
  expect(withAuthority()).toBe(withAuthority());
  expect(parse(withAuthority())).toMatchObject({
    Compute: { TLS: { CACert: '/etc/bacalhau/tls/ca.crt' } },
  });
});

test('of nodes whose identity is their own goes by the instance', () => {
  const own = made((value) => (value.identity = { from: 'instance' }));
  expect((parse(own) as { Labels: { sensor_id: string } }).Labels.sensor_id).not.toBe(
    (parse(made()) as { Labels: { sensor_id: string } }).Labels.sensor_id,
  );
});

test('says what the node would say where it cannot be made', () => {
  expect(() => made(({ bacalhau }) => (bacalhau.labels = { zone: 'x' }))).toThrow(
    'bacalhau.labels has zone: set by Skyfleet or Bacalhau itself',
  );
});
