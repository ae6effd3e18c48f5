#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const source = '../cli/skyfleet.ts';
// A checkout runs the TypeScript of the command line as it is; a package has it compiled.
const inCheckout = existsSync(new URL(source, import.meta.url));
if (inCheckout) (await import('tsx/cjs/api')).register();
const { skyfleet } = require(inCheckout ? source : '../dist/cli/skyfleet.js');
await skyfleet(require('../package.json').version);
