/** What the earlier configuration does not say. */
export interface Choices {
  /** Put before the region for the stack's name, with a hyphen; the region alone where absent. */
  prefix: string | undefined;
  /** Availability zones of any of the regions; the zones a and b of a region that has none here. */
  zones: readonly string[];
  /** Addresses from which SkyPilot's server connects. */
  sshCidrs: readonly string[];
  /** Connect through AWS Systems Manager instead. */
  ssm: boolean;
  /** Image of the sensor, with its version. */
  sensorImage: string | undefined;
  /** NATS addresses of the orchestrators. */
  endpoints: readonly string[];
}

/** Something that only the user knows, and the option that says it. */
export interface Needed {
  option: string;
  /** The section of the stack file that stands open until then. */
  key: string;
  why: string;
}

/** What is needed besides the earlier configuration, before a stack file can be written. */
export function neededChoices({ sshCidrs, ssm, sensorImage, endpoints }: Choices): Needed[] {
  return [
    ...(sshCidrs.length === 0 && !ssm
      ? [
          {
            option: '--ssh-cidr',
            key: 'skyfleet:access',
            why: "the addresses of SkyPilot's server, such as 203.0.113.10/32; or --ssm, to open no port (docs/aws.md)",
          },
        ]
      : []),
    ...(endpoints.length === 0
      ? [
          {
            option: '--orchestrator',
            key: 'skyfleet:orchestrator',
            why: 'no orchestrator_endpoint file was found; the address of the orchestrator, such as nats://orchestrator.example.com:4222',
          },
        ]
      : []),
    ...(sensorImage === undefined
      ? [
          {
            option: '--sensor-image',
            key: 'skyfleet:sensor',
            why: "the sensor's image with its version, such as ghcr.io/bacalhau-project/sensor-log-generator:1.5.0; the earlier tools run :latest, under which each node may get another",
          },
        ]
      : []),
  ];
}

/** Keys of a stack file that options alone decide, and those options. */
const options: readonly [string, string][] = [
  ['skyfleet:access', '--ssh-cidr'],
  ['skyfleet:sensor', '--sensor-image'],
  ['skyfleet:network.zones', '--zone'],
  ['skyfleet:fleets[0].name', '--prefix'],
];

/** A key of a stack file as the user knows it, before there is such a file. */
export function saidAs(key: string, stack: string): string {
  const option = options.find(([section]) => key.startsWith(section))?.[1];
  return option === undefined ? `Pulumi.${stack}.yaml: ${key}` : `${option} (${key})`;
}
