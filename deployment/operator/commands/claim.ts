import { runCommand } from '../command-environment';
import { claimServer } from '../server-identity';

void runCommand('claim', claimServer);
