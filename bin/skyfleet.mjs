#!/usr/bin/env node
import { createRequire } from 'node:module';
import { register } from 'tsx/cjs/api';

// Runs the TypeScript of the command line as it is.
register();
createRequire(import.meta.url)('../cli/skyfleet.ts');
