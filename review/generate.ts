import * as fs from 'node:fs';
import * as path from 'node:path';
import { reviewJsonSchema } from './model';

/** Writes the schema of a review's JSON; `make docs` runs it. */
fs.writeFileSync(path.join(__dirname, '..', 'docs', 'review.schema.json'), reviewJsonSchema());
