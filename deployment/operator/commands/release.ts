import { runCommand } from '../command-environment';
import { releaseServer } from '../server-identity';

void runCommand(releaseServer);
