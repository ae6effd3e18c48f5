import { runCommand } from '../command-environment';
import { submit } from '../submit';

void runCommand('submit', submit);
