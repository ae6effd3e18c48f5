import * as fs from 'node:fs';
import * as path from 'node:path';
import { reviewJsonSchema } from './model';
import { policyReference } from './policy/reference';

/** Writes the schema of a review's JSON and the reference of the rules; `make docs` runs it. */
const docs = path.join(__dirname, '..', 'docs');
fs.writeFileSync(path.join(docs, 'review.schema.json'), reviewJsonSchema());
fs.writeFileSync(path.join(docs, 'policy.md'), policyReference());
