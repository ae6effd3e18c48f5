import * as fs from 'node:fs';
import * as path from 'node:path';
import { configurationReference } from './document';

/** Writes the reference of the configuration; `make docs` runs it. */
fs.writeFileSync(path.join(__dirname, '..', 'docs', 'configuration.md'), configurationReference());
