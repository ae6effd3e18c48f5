import { runCommand } from '../command-environment';
import { release } from '../release';

void runCommand('release', release);
