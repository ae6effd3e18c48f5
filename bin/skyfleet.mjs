#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const source = '../cli/skyfleet.ts';
if (existsSync(new URL(source, import.meta.url))) {
  // In a checkout: runs the TypeScript of the command line as it is.
  const { register } = await import('tsx/cjs/api');
  register();
  require(source);
} else require('../dist/cli/skyfleet.js');
