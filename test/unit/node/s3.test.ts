import { evaluate, scenario } from './scripts';

jest.setTimeout(120_000);

/** Amazon S3's own examples of Signature Version 4 ("Authenticating Requests: Using the Authorization Header"). */
const examples: [string, string, string, string, Record<string, string>, string][] = [
  [
    'get an object',
    'GET',
    '/test.txt',
    '',
    { range: 'bytes=0-9' },
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'put an object',
    'PUT',
    '/test%24file.text',
    '',
    { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
  [
    'get the lifecycle',
    'GET',
    '/',
    'lifecycle=',
    {},
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'list objects',
    'GET',
    '/',
    'max-keys=2&prefix=J',
    {},
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
];

test.each(examples)(
  "signs as in Amazon's example: %s",
  async (_, method, path, query, headers, signature) => {
    const body = method === 'PUT' ? 'Welcome to Amazon S3.' : '';
    const header = await evaluate<string>(`
import hashlib, json, s3
from imds import Credentials
payload = hashlib.sha256(${JSON.stringify(body)}.encode()).hexdigest()
headers = {
  "Host": "examplebucket.s3.amazonaws.com", "x-amz-date": "20130524T000000Z", "x-amz-content-sha256": payload,
  **json.loads(${JSON.stringify(JSON.stringify(headers))}),
}
keys = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None)
print(json.dumps(s3.authorization(${JSON.stringify(method)}, ${JSON.stringify(path)}, ${JSON.stringify(query)}, headers, payload, keys, "us-east-1")))
`);
    expect(header).toContain('Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request');
    expect(header).toContain(`Signature=${signature}`);
  },
);

test.each([
  ['data', null, 'data.s3.us-west-2.amazonaws.com', '/'],
  ['data.example', null, 's3.us-west-2.amazonaws.com', '/data.example/'],
  ['data', 'http://10.0.0.1:5000', '10.0.0.1:5000', '/data/'],
])('addresses bucket %s at endpoint %s by %s%s', async (name, endpoint, host, base) => {
  const found = await evaluate<[string, string]>(`
import json, s3
b = s3.Bucket(${JSON.stringify(name)}, "us-west-2", ${endpoint === null ? 'None' : JSON.stringify(endpoint)}, lambda: None)
print(json.dumps([b._host_header, b._base]))
`);
  expect(found).toEqual([host, base]);
});

interface Outcome {
  read: string;
  missing: boolean;
  unchanged: string;
  changed: string;
  accessKeys: string[];
  tokens: string[];
  retried: number[];
  refused: { status: number; text: string; requests: number };
  lost: string;
  deleted: boolean;
}

test("reads, writes and deletes with the role's keys, retries what may pass, and tells the rest", async () => {
  const outcome = await scenario<Outcome>('s3_scenario.py', []);
  expect(outcome.read).toBe('one');
  expect(outcome.missing).toBe(true);
  expect(outcome).toMatchObject({ unchanged: 'NotModified', changed: 'changed' });
  expect(outcome.accessKeys).toEqual(['ASIAi-1']);
  expect(outcome.tokens).toEqual(['token']);
  expect(outcome.retried).toEqual([503, 409, 200]);
  expect(outcome.refused).toEqual({
    status: 403,
    text: 'S3 PUT s3://data/b failed: HTTP 403 Injected',
    requests: 1,
  });
  expect(outcome.lost).toBe('PreconditionFailed');
  expect(outcome.deleted).toBe(true);
});
