import type { Surroundings } from '../../../config/rules';

/** A stack configuration with nothing in it that has a default. */
export const good = {
  network: { cidr: '10.42.0.0/16', zones: ['us-west-2a', 'us-west-2b'] },
  access: { cidrs: ['203.0.113.10/32'] },
  fleets: [{ name: 'sensors', clusters: 3, instanceType: 't3.medium', ordinals: { first: 0, last: 99 } }],
  orchestrator: { endpoints: ['nats://orchestrator.example.com:4222'] },
  sensor: { image: 'example.com/sensor:1.2.3' },
};

export const surroundings: Surroundings = {
  region: 'us-west-2',
  skypilotToken: false,
  orchestratorApiToken: false,
};
