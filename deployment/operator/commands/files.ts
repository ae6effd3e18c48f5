import { runCommand } from '../command-environment';
import { readNodeFiles } from '../node-files';
import { changedFiles, filesFingerprint } from '../shipped-files';

void runCommand('files', (environment) => {
  const files = readNodeFiles();
  const changed = changedFiles(files, environment);
  if (changed.length > 0) {
    throw new Error(
      `${changed.join(', ')} below deployment/node/ changed while pulumi was running; run pulumi up again to see the change first`,
    );
  }
  return Promise.resolve({ files: filesFingerprint(files) });
});
