import { parse } from 'yaml';
import type { PolicyRuleName } from '../../config/policy-rules';
import { isKnown } from '../../deployment/operator/preview';
import type { Plan, PlannedResource } from './plan';

/** What a rule has found. */
export interface Hit {
  /** The resource, place, file or key that it is about. */
  resource: string;
  what: string;
  remedy: string;
}

type Rule = (plan: Plan) => Hit[];

type Inputs = Record<string, unknown>;
const asList = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value];
const asMap = (value: unknown): Inputs =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Inputs) : {};

const ofType = ({ resources }: Plan, ...types: string[]): PlannedResource[] =>
  resources.filter(({ type }) => types.includes(type));

/** The resources of a type that a property ties to another one. */
const tiedTo = (plan: Plan, type: string, property: string, { name }: PlannedResource): PlannedResource[] =>
  ofType(plan, type).filter(({ from }) => from[property]?.includes(name) === true);

const world = ['0.0.0.0/0', '::/0'];

/** The address ranges that a rule of a security group lets in. */
const rangesOf = (rule: Inputs): unknown[] =>
  ['cidrIpv4', 'cidrIpv6', 'cidrBlocks', 'ipv6CidrBlocks'].flatMap((key) => asList(rule[key]));

const openToWorld: Rule = (plan) => {
  const ingress = [
    ...ofType(plan, 'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule').map((one) => ({
      one,
      rule: one.inputs,
    })),
    ...ofType(plan, 'aws:ec2/securityGroupRule:SecurityGroupRule')
      .filter(({ inputs }) => inputs['type'] === 'ingress')
      .map((one) => ({ one, rule: one.inputs })),
    ...ofType(
      plan,
      'aws:ec2/securityGroup:SecurityGroup',
      'aws:ec2/defaultSecurityGroup:DefaultSecurityGroup',
    ).flatMap((one) => asList(one.inputs['ingress']).map((rule) => ({ one, rule: asMap(rule) }))),
  ];
  return ingress
    .filter(({ rule }) => rangesOf(rule).some((range) => world.includes(String(range))))
    .map(({ one, rule }) => {
      const ports = [rule['fromPort'], rule['toPort']].filter((port) => typeof port === 'number');
      const [first, last] = ports;
      const range = first === last ? `port ${first} is` : `ports ${first} to ${last} are`;
      return {
        resource: one.name,
        what: `${ports.length < 2 ? 'every port is' : range} open to every address`,
        remedy: 'name the ranges that need it (skyfleet:access.cidrs)',
      };
    });
};

const unencryptedDisk: Rule = (plan) => [
  ...plan.places
    .filter(({ skypilot }) => skypilot.aws.disk_encrypted !== true)
    .map(({ place }) => ({
      resource: place,
      what: 'its disks are not encrypted',
      remedy: 'set aws.disk_encrypted in its SkyPilot configuration',
    })),
  ...[
    ...ofType(plan, 'aws:ebs/volume:Volume').map((one) => ({ one, disk: one.inputs })),
    ...ofType(plan, 'aws:ec2/instance:Instance').map((one) => ({
      one,
      disk: asMap(one.inputs['rootBlockDevice']),
    })),
  ]
    .filter(({ disk }) => disk['encrypted'] !== true)
    .map(({ one }) => ({
      resource: one.name,
      what: 'its disk is not encrypted',
      remedy: 'set encrypted: true',
    })),
];

const bucketType = 'aws:s3/bucket:Bucket';

const unencryptedBucket: Rule = (plan) =>
  ofType(plan, bucketType)
    .filter((bucket) => {
      const type = 'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration';
      return tiedTo(plan, type, 'bucket', bucket).length === 0;
    })
    .map(({ name }) => ({
      resource: name,
      what: 'the bucket does not say how it is encrypted',
      remedy: 'give it a BucketServerSideEncryptionConfiguration',
    }));

const closings = ['blockPublicAcls', 'blockPublicPolicy', 'ignorePublicAcls', 'restrictPublicBuckets'];

const publicBucket: Rule = (plan) =>
  ofType(plan, bucketType).flatMap((bucket) => {
    const blocks = tiedTo(plan, 'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock', 'bucket', bucket);
    const open = closings.filter((key) => !blocks.some(({ inputs }) => inputs[key] === true));
    return open.length === 0
      ? []
      : [
          {
            resource: bucket.name,
            what: `the bucket could be made public (${open.join(', ')})`,
            remedy: 'give it a BucketPublicAccessBlock with all four set',
          },
        ];
  });

const imdsV1: Rule = (plan) =>
  ofType(plan, 'aws:ec2/instance:Instance', 'aws:ec2/launchTemplate:LaunchTemplate')
    .filter(({ inputs }) => asMap(inputs['metadataOptions'])['httpTokens'] !== 'required')
    .map(({ name }) => ({
      resource: name,
      what: 'metadata is handed out without a token',
      remedy: "set metadataOptions.httpTokens to 'required'",
    }));

/**
 * Actions for which AWS has no resource to name, so that there is nothing but `*`: those of the Systems Manager agent
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsessionmanagermessagegatewayservice.html).
 */
const withoutResource = /^(ssmmessages:|ec2messages:|ssm:UpdateInstanceInformation$)/;

/** The policy documents of a plan, by the resource and the property that holds them. */
export const policyDocuments = {
  'aws:iam/role:Role': 'assumeRolePolicy',
  'aws:iam/rolePolicy:RolePolicy': 'policy',
  'aws:iam/policy:Policy': 'policy',
  'aws:s3/bucketPolicy:BucketPolicy': 'policy',
} as const;

const isEverybody = (principal: unknown): boolean =>
  principal === '*' || asList(asMap(principal)['AWS']).includes('*');

const wildcardIam: Rule = (plan) =>
  plan.resources.flatMap(({ name, type, inputs }) => {
    const property = (policyDocuments as Record<string, string | undefined>)[type];
    const document = property === undefined ? undefined : inputs[property];
    if (typeof document !== 'string' || !isKnown(document)) return [];
    const statements = asList((JSON.parse(document) as Inputs)['Statement']).map(asMap);
    return statements
      .filter((statement) => statement['Effect'] === 'Allow')
      .flatMap((statement): Hit[] => {
        const actions = asList(statement['Action']).map(String);
        const wide = actions.filter((action) => action === '*' || action.endsWith(':*'));
        const everything =
          asList(statement['Resource']).includes('*') &&
          !actions.every((action) => withoutResource.test(action));
        const found = [
          ...(wide.length > 0 ? [`allows ${wide.join(', ')}`] : []),
          ...(everything ? [`allows ${actions.join(', ')} on every resource`] : []),
          ...(isEverybody(statement['Principal']) ? ['allows everybody'] : []),
        ];
        return found.map((what) => ({
          resource: name,
          what,
          remedy: 'name the actions, resources and principals that are needed',
        }));
      });
  });

/** Types that the program makes and that AWS can tag. */
const taggable =
  /^aws:(ec2\/(vpc|subnet|routeTable|internetGateway|natGateway|eip|securityGroup|defaultSecurityGroup|vpcEndpoint|flowLog|instance):|ebs\/volume:|s3\/bucket:|iam\/(role|instanceProfile|policy):|cloudwatch\/logGroup:|vpc\/securityGroup(In|E)gressRule:)/;

const missingTags: Rule = (plan) => {
  const [stackKey, stack] = plan.stackTag;
  const missing = (tags: Inputs): string[] => [
    ...(tags[stackKey] === stack ? [] : [stackKey]),
    ...plan.governance.requiredTags.filter((key) => tags[key] === undefined),
  ];
  const told = (resource: string, keys: readonly string[]): Hit[] =>
    keys.length === 0
      ? []
      : [{ resource, what: `has no tag ${keys.join(', ')}`, remedy: 'add it to skyfleet:tags' }];
  return [
    ...plan.resources
      .filter(({ type }) => taggable.test(type))
      .flatMap(({ name, inputs }) =>
        told(name, missing({ ...asMap(inputs['tagsAll']), ...asMap(inputs['tags']) })),
      ),
    ...plan.places.flatMap(({ place, task }) => told(place, missing(task.resources.labels))),
  ];
};

/** Whether an image is the same one tomorrow: it has a digest, or a tag that is not the moving one. */
export const isPinned = (image: string): boolean =>
  image.includes('@sha256:') || /:(?!latest$)[\w][\w.-]*$/.test(image.split('/').at(-1) ?? '');

/** The images that the services of a compose file name outright. */
function composeImages(text: string): string[] {
  const { services } = asMap(parse(text));
  return Object.values(asMap(services))
    .map((service) => asMap(service)['image'])
    .filter((image): image is string => typeof image === 'string' && !image.includes('${'));
}

const unpinnedImage: Rule = ({ places, files }) => {
  const remedy = 'name a tag other than latest, or a digest';
  const told = (resource: string, images: readonly string[]): Hit[] =>
    images
      .filter((image) => !isPinned(image))
      .map((image) => ({ resource, what: `image ${image} may be another one tomorrow`, remedy }));
  return [
    ...Object.entries(files)
      .filter(([file]) => /docker-compose[\w.-]*\.ya?ml$/.test(file))
      .flatMap(([file, text]) => told(file, composeImages(text))),
    ...places.flatMap(({ place, settings }) =>
      settings === undefined ? [] : told(place, [settings.bacalhau.image, settings.sensor.image]),
    ),
  ];
};

/** Forms of credentials that are known by their beginning. */
const credentialForms: readonly [string, RegExp][] = [
  ['an AWS access key', /\b(AKIA|ASIA)[0-9A-Z]{16}\b/],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['a GitHub token', /\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})/],
  ['a JSON web token', /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+/],
];
const secretName = /(token|secret|password|passwd|credential|private_?key|api_?key)$/i;

/** What is or looks like a credential in a value, with where it stands. */
function credentialsIn(where: string, value: unknown): { where: string; what: string }[] {
  if (typeof value === 'string') {
    const [form] = credentialForms.find(([, pattern]) => pattern.test(value)) ?? [];
    if (form !== undefined) return [{ where, what: `${form} in plain text` }];
    const last = where.split(/[.:]/).at(-1) ?? '';
    return secretName.test(last) && value !== '' ? [{ where, what: 'a secret in plain text' }] : [];
  }
  if (Array.isArray(value)) return value.flatMap((one, index) => credentialsIn(`${where}[${index}]`, one));
  return Object.entries(asMap(value)).flatMap(([key, one]) => credentialsIn(`${where}.${key}`, one));
}

const plainToken: Rule = ({ config, files }) => [
  ...Object.entries(config)
    .flatMap(([key, value]) => credentialsIn(key, value))
    .map(({ where, what }) => ({
      resource: where,
      what,
      remedy: 'make another one, and set it with: pulumi config set --secret',
    })),
  ...Object.entries(files).flatMap(([file, text]) =>
    credentialForms
      .filter(([, pattern]) => pattern.test(text))
      .map(([form]) => ({
        resource: file,
        what: `${form} in plain text`,
        remedy: 'make another one, and let nodes read it from the bucket',
      })),
  ),
];

const usd = (amount: number): string => `$${amount.toFixed(2)}`;

const overBudget: Rule = ({ governance: { budget }, cost: { total, worstCase } }) =>
  budget === undefined || total.to.monthlyUsd <= budget.monthlyUsd
    ? []
    : [
        {
          resource: 'skyfleet:governance.budget',
          what: `${usd(total.to.monthlyUsd)} a month (${usd(worstCase.to.monthlyUsd)} at worst) is above the budget of ${usd(budget.monthlyUsd)}`,
          remedy: 'declare less, or have the budget raised',
        },
      ];

const unknownCost: Rule = ({ governance: { budget }, cost: { items } }) => {
  const unknown = items.filter(({ to }) => to.monthlyUsd === null).map(({ item }) => item);
  return budget === undefined || unknown.length === 0
    ? []
    : [
        {
          resource: 'skyfleet:governance.budget',
          what: `what these cost is unknown, and not held to the budget: ${unknown.join(', ')}`,
          remedy:
            'name a catalog (--catalog) and prices (--prices) that have them, or watch them in the bill',
        },
      ];
};

/** The zone of a region, or the region itself, as what it is in. */
const regionOf = (zone: string): string => zone.replace(/[a-z]$/, '');

const regionNotAllowed: Rule = ({ governance: { regions }, resources, places }) => {
  if (regions === undefined) return [];
  const told = (resource: string, found: readonly string[]): Hit[] =>
    [...new Set(found)]
      .filter((region) => !regions.includes(region))
      .map((region) => ({
        resource,
        what: `is in ${region}`,
        remedy: `deploy to one of ${regions.join(', ')}, or have skyfleet:governance.regions extended`,
      }));
  return [
    ...resources.flatMap(({ name, inputs }) => {
      const { region, availabilityZone } = inputs;
      return told(name, [
        ...(typeof region === 'string' && isKnown(region) ? [region] : []),
        ...(typeof availabilityZone === 'string' && isKnown(availabilityZone)
          ? [regionOf(availabilityZone)]
          : []),
      ]);
    }),
    ...places.flatMap(({ place, task }) =>
      told(
        place,
        task.resources.ordered.map(({ infra }) => infra.split('/')[1] ?? ''),
      ),
    ),
  ];
};

const natWithoutNeed: Rule = (plan) => {
  const gateways = ofType(plan, 'aws:ec2/natGateway:NatGateway');
  if (gateways.length === 0) return [];
  const inside = plan.places.filter(({ skypilot }) => skypilot.aws.use_internal_ips);
  const zones = new Set(
    inside.flatMap(({ task }) => task.resources.ordered.map(({ infra }) => infra.split('/')[2])),
  );
  const subnets = new Map(
    ofType(plan, 'aws:ec2/subnet:Subnet').map(({ name, inputs }) => [
      name,
      String(inputs['availabilityZone']),
    ]),
  );
  const zoneOf = ({ from }: PlannedResource): string | undefined => subnets.get(from['subnetId']?.[0] ?? '');
  const idle =
    inside.length === 0
      ? gateways
      : // A single gateway serves every zone, whichever it stands in.
        gateways.filter((gateway) => gateways.length > 1 && !zones.has(zoneOf(gateway)));
  return idle.map((gateway) => ({
    resource: gateway.name,
    what:
      inside.length === 0
        ? 'no node has a private address only'
        : `no fleet may launch in ${zoneOf(gateway) ?? 'its zone'}`,
    remedy: 'set skyfleet:network.nat to single or none, or leave the zone out of skyfleet:network.zones',
  }));
};

const onDemandForSpot: Rule = ({ places }) =>
  places
    .filter(({ task }) => {
      const markets = task.resources.ordered.map((candidate) => candidate.use_spot);
      return markets.includes(true) && markets.includes(false);
    })
    .map(({ place }) => ({
      resource: place,
      what: 'is declared as spot and may be launched on-demand',
      remedy: 'remove onDemandFallback from its fleet, or turn the rule off with the reason for it',
    }));

const unpinnedMachineImage: Rule = ({ places }) =>
  places
    .filter(({ task }) => task.resources.image_id === undefined)
    .map(({ place }) => ({
      resource: place,
      what: "its next node gets whichever Ubuntu image SkyPilot's catalog names then",
      remedy: 'name imageId in its fleet',
    }));

/** The rules by their names. */
export const rules: Readonly<Record<PolicyRuleName, Rule>> = {
  'open-to-world': openToWorld,
  'unencrypted-disk': unencryptedDisk,
  'unencrypted-bucket': unencryptedBucket,
  'public-bucket': publicBucket,
  'imds-v1': imdsV1,
  'wildcard-iam': wildcardIam,
  'missing-tags': missingTags,
  'unpinned-image': unpinnedImage,
  'plain-token': plainToken,
  'over-budget': overBudget,
  'unknown-cost': unknownCost,
  'region-not-allowed': regionNotAllowed,
  'nat-without-need': natWithoutNeed,
  'on-demand-for-spot': onDemandForSpot,
  'unpinned-machine-image': unpinnedMachineImage,
};
