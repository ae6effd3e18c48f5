import { runCommand } from '../command-environment';
import { wait } from '../wait';

void runCommand('wait', wait);
