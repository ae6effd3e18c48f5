import * as fs from 'node:fs';
import * as path from 'node:path';
import { changeReference, configurationReference } from './document';

/** Writes the references that are made from the schema and the table of change classes; `make docs` runs it. */
const docs = path.join(__dirname, '..', 'docs');
fs.writeFileSync(path.join(docs, 'configuration.md'), configurationReference());
fs.writeFileSync(path.join(docs, 'changes.md'), changeReference());
