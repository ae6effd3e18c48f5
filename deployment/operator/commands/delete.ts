import { runCommand } from '../command-environment';
import { deletePlace } from '../delete';

void runCommand('delete', deletePlace);
