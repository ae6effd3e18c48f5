import * as fs from 'node:fs';
import * as path from 'node:path';
import { evaluate, runScript, temporaryFolder, writeSettings } from './scripts';

jest.setTimeout(120_000);

interface Identity {
  sensor_id: string;
  location: {
    city: string;
    state: string;
    coordinates: { latitude: number; longitude: number };
    timezone: string;
    address: string;
  };
  device_info: Record<string, string>;
  deployment: {
    deployment_type: string;
    installation_date: string;
    height_meters: number;
    orientation_degrees: number;
  };
  metadata: Record<string, string>;
}

const folder = temporaryFolder();
afterAll(folder.dispose);

const output = path.join(folder.path, 'identity.json');

describe('the identity of a place', () => {
  const settings = writeSettings(folder.path);
  const generate = (ordinal: number) =>
    runScript('generate_node_identity.py', [
      '--settings',
      settings,
      '--ordinal',
      String(ordinal),
      '--output',
      output,
    ]);

  test('is the same bytes each time, on stdout and in the file', async () => {
    const first = await generate(42);
    const inFile = fs.readFileSync(output, 'utf8');
    const second = await generate(42);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toBe(first.stdout);
    expect(inFile).toBe(first.stdout);
  });

  test('has every field that the sensor image reads, in its form', async () => {
    const identity = JSON.parse((await generate(42)).stdout) as Identity;
    expect(identity).toEqual({
      sensor_id: expect.stringMatching(/^SENSOR_[A-Z]{2}_[A-Z]{3}_\d{4}$/) as string,
      location: {
        city: expect.any(String) as string,
        state: expect.stringMatching(/^[A-Z]{2}$/) as string,
        coordinates: { latitude: expect.any(Number) as number, longitude: expect.any(Number) as number },
        timezone: expect.stringContaining('/') as string,
        address: `${identity.location.city}, ${identity.location.state}, USA`,
      },
      device_info: {
        manufacturer: expect.any(String) as string,
        model: expect.any(String) as string,
        firmware_version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
        serial_number: expect.stringMatching(/^SN-[0-9A-F]{12}$/) as string,
        manufacture_date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) as string,
      },
      deployment: {
        deployment_type: expect.any(String) as string,
        installation_date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) as string,
        height_meters: expect.any(Number) as number,
        orientation_degrees: expect.any(Number) as number,
      },
      metadata: {
        instance_id: 'organization/skyfleet/local/local/42',
        identity_generation_timestamp: expect.stringMatching(
          /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/,
        ) as string,
        generation_seed: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        sensor_type: 'environmental_monitoring',
      },
    });
    expect(identity.device_info['manufacture_date'] ?? '').not.toBe('');
    expect((identity.device_info['manufacture_date'] ?? '') < identity.deployment.installation_date).toBe(
      true,
    );
  });

  test('does not follow the machine: another instance id gives the same identity', async () => {
    const args = ['--settings', settings, '--ordinal', '3'];
    const one = await runScript('generate_node_identity.py', args, { INSTANCE_ID: 'i-1' });
    const two = await runScript('generate_node_identity.py', args, { INSTANCE_ID: 'i-2' });
    expect(two.stdout).toBe(one.stdout);
  });

  test('outside of the configured range is refused, naming both', async () => {
    const finished = await generate(10_000);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain('ordinal 10000 must lie within identity.range, 0 to 9999');
    expect(finished.stdout).toBe('');
  });

  test('needs an ordinal', async () => {
    const finished = await runScript('generate_node_identity.py', ['--settings', settings]);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain('--ordinal is missing');
  });
});

describe('sensor ids', () => {
  test('are a bijection over the whole range of numbers', async () => {
    const result = await evaluate<{ numbers: number; ids: number; malformed: number }>(`
import json, re
import generate_node_identity as g
ids = [g.sensor_id(n) for n in range(g.SENSOR_NUMBERS)]
form = re.compile(r"SENSOR_[A-Z]{2}_[A-Z]{3}_[0-9]{4}")
print(json.dumps({"numbers": len(ids), "ids": len(set(ids)), "malformed": sum(not form.fullmatch(i) for i in ids)}))
`);
    expect(result).toEqual({ numbers: 1_000_000, ids: 1_000_000, malformed: 0 });
  });

  test.each([-1, 1_000_000])('number %d has none', async (number) => {
    await expect(evaluate(`import generate_node_identity as g; g.sensor_id(${number})`)).rejects.toThrow(
      'must be between 0 and 999999',
    );
  });

  test('name cities with a real time zone', async () => {
    const zones = await evaluate<string[]>(
      'import json, us_cities; print(json.dumps(sorted({c.timezone for c in us_cities.CITIES})))',
    );
    const known = new Set(Intl.supportedValuesOf('timeZone'));
    // The platform lists one of these two names of Indianapolis' zone, depending on its version.
    known.add('America/Indiana/Indianapolis').add('America/Kentucky/Louisville');
    expect(zones.filter((zone) => !known.has(zone))).toEqual([]);
  });
});

describe('the fields of an identity', () => {
  interface Spread {
    distinct: Record<string, number>;
    pairs: [string, string, number][];
    badDates: number;
  }

  test('vary, and none follows from another', async () => {
    const { distinct, pairs, badDates } = await evaluate<Spread>(`
import itertools, json, math
import generate_node_identity as g
made = [g.identity(n, f"sensor/{n}", "x") for n in range(4000)]
fields = {
  "city": [i["location"]["city"] + i["location"]["state"] for i in made],
  "manufacturer": [i["device_info"]["manufacturer"] for i in made],
  "type": [i["deployment"]["deployment_type"] for i in made],
  "major": [i["device_info"]["firmware_version"].split(".")[0] for i in made],
  "minor": [i["device_info"]["firmware_version"].split(".")[1] for i in made],
  "orientation": [i["deployment"]["orientation_degrees"] // 36 for i in made],
  "height": [int(i["deployment"]["height_meters"] // 5) for i in made],
  "month": [i["deployment"]["installation_date"][5:7] for i in made],
}
def entropy(values):
  counts = {}
  for v in values: counts[v] = counts.get(v, 0) + 1
  return -sum(c / len(values) * math.log2(c / len(values)) for c in counts.values())
# The share of a field's information that another one gives away; for independent fields only what chance leaves.
pairs = []
for a, b in itertools.permutations(fields, 2):
  if a == "city" or b == "city": continue
  shared = entropy(fields[a]) + entropy(fields[b]) - entropy(list(zip(fields[a], fields[b])))
  pairs.append([a, b, shared / entropy(fields[a])])
bad = sum(not i["device_info"]["manufacture_date"] < i["deployment"]["installation_date"] < "2025-01-01" for i in made)
print(json.dumps({"distinct": {k: len(set(v)) for k, v in fields.items()}, "pairs": pairs, "badDates": bad}))
`);
    expect(distinct).toMatchObject({
      city: 100,
      manufacturer: 5,
      type: 4,
      major: 5,
      minor: 20,
      orientation: 10,
      month: 12,
    });
    expect(pairs.filter(([, , share]) => share > 0.03)).toEqual([]);
    expect(badDates).toBe(0);
  });
});

describe('the identity of an instance', () => {
  const settings = path.join(folder.path, 'instance', 'node.json');
  beforeAll(() => {
    fs.mkdirSync(path.dirname(settings));
    writeSettings(path.dirname(settings), (value) => (value.identity = { from: 'instance' }));
  });
  const generate = (env: NodeJS.ProcessEnv) =>
    runScript('generate_node_identity.py', ['--settings', settings], env);

  test('follows the instance id', async () => {
    const one = JSON.parse((await generate({ INSTANCE_ID: 'i-0123456789abcdef0' })).stdout) as Identity;
    const again = JSON.parse((await generate({ INSTANCE_ID: 'i-0123456789abcdef0' })).stdout) as Identity;
    const other = JSON.parse((await generate({ INSTANCE_ID: 'i-0123456789abcdef1' })).stdout) as Identity;
    expect(again).toEqual(one);
    expect(one.metadata['instance_id']).toBe('i-0123456789abcdef0');
    expect(other.sensor_id).not.toBe(one.sensor_id);
  });

  test('does not exist without an instance id', async () => {
    // Port 9 of loopback: nobody answers there.
    const finished = await generate({
      INSTANCE_ID: '',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:9',
    });
    expect(finished.code).toBe(1);
    expect(finished.stdout).toBe('');
    expect(finished.stderr).toContain('instance metadata PUT /latest/api/token failed');
  });

  test('is shared as rarely as docs/node.md says', async () => {
    const [few, many] = await evaluate<[number, number]>(`
import json, random
import generate_node_identity as g
draw = random.Random(1)
def duplicates(count):
  ids = {f"i-{draw.getrandbits(68):017x}" for _ in range(count)}
  return len(ids) - len({g.sensor_id(g.number_of_instance(i)) for i in ids})
print(json.dumps([duplicates(5_000), duplicates(100_000)]))
`);
    expect(few).toBeLessThanOrEqual(25);
    expect(many).toBeGreaterThan(4_500);
    expect(many).toBeLessThan(5_200);
  });
});
