import { text } from 'node:stream/consumers';
import { runCommand } from '../command-environment';
import { wait } from '../wait';

void runCommand(async (environment) => wait(environment, await text(process.stdin)));
