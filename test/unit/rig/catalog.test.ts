import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AMI_ID, catalogFiles, REGIONS, ZONE_IDS } from '../../../local/tools/catalog';
import { CHECKOUT } from '../../../local/rig/paths';

/** The rows of a file of the catalog, without the one cell that holds commas. */
function rows(file: string): Record<string, string>[] {
  const [header = '', ...lines] = (catalogFiles()[file] ?? '').trimEnd().split('\n');
  const names = header.split(',');
  return lines.map((line) => {
    const cells = line.replace(/"[^"]*"/g, 'quoted').split(',');
    return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? '']));
  });
}

test('every instance type is offered in every zone of every region', () => {
  const vms = rows('aws/vms.csv');
  const types = new Set(vms.map((row) => row.InstanceType));
  const zones = Object.values(ZONE_IDS).flat();
  expect(vms).toHaveLength(types.size * zones.length);
  for (const type of [
    't3.small',
    't3.medium',
    't3.xlarge',
    'm6i.large',
    't4g.small',
    'm7g.large',
    'c7g.large',
    'r7g.large',
    'g4dn.xlarge',
    'g5.xlarge',
  ]) {
    expect(types).toContain(type);
  }
});

test('every row has as many cells as the header', () => {
  for (const content of Object.values(catalogFiles())) {
    const widths = content
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/"[^"]*"/g, 'quoted').split(',').length);
    expect(new Set(widths).size).toBe(1);
  }
});

test('a spot machine is cheaper than the same one on demand, and the first zone of a region is the cheapest', () => {
  for (const row of rows('aws/vms.csv')) expect(Number(row.SpotPrice)).toBeLessThan(Number(row.Price));
  for (const region of REGIONS) {
    const offers = rows('aws/vms.csv').filter(
      (row) => row.Region === region && row.InstanceType === 't3.medium',
    );
    const cheapest = offers.sort((a, b) => Number(a.SpotPrice) - Number(b.SpotPrice))[0];
    expect(cheapest?.AvailabilityZone).toBe(ZONE_IDS[region]?.[0]);
  }
});

test('only arm64 types are offered as arm64', () => {
  for (const row of rows('aws/vms.csv')) {
    expect(row.Arch).toBe(/^(t4g|m7g|c7g|r7g)\./.test(row.InstanceType ?? '') ? 'arm64' : 'x86_64');
  }
});

test('a GPU machine says which and how many, and no other machine names one', () => {
  const offers = rows('aws/vms.csv').map(({ InstanceType, AcceleratorName, AcceleratorCount }) =>
    [InstanceType, AcceleratorName, AcceleratorCount].join(' '),
  );
  expect(new Set(offers.filter((offer) => !offer.endsWith('  ')))).toEqual(
    new Set(['g4dn.xlarge T4 1', 'g5.xlarge A10G 1']),
  );
  const known = rows('common/accelerators.csv').map((row) => row.AcceleratorName);
  expect(known).toEqual(['T4', 'A10G']);
});

test('every image tag stands for the machine image that the emulated account has', () => {
  const images = rows('aws/images.csv');
  expect(images.length).toBeGreaterThanOrEqual(REGIONS.length);
  for (const row of images) expect(row.ImageId).toBe(AMI_ID);
  const settings = readFileSync(join(CHECKOUT, 'local', 'aws', 'skyfleet_aws', 'settings.py'), 'utf8');
  expect(settings).toContain(`IMAGE_ID = "${AMI_ID}"`);
});
