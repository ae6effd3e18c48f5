import * as fs from 'node:fs';
import * as path from 'node:path';

const checkout = path.join(__dirname, '..', '..', '..');
const text = (file: string): string => fs.readFileSync(path.join(checkout, file), 'utf8');

// test/plugins/package.test.ts runs what stands there.
test.each(['index.ts', 'Pulumi.yaml', 'Pulumi.dev.yaml'])(
  'docs/embedding.md shows %s of the example as it is',
  (file) => {
    expect(text('docs/embedding.md')).toContain(`\n${text(`examples/own-program/${file}`)}\`\`\`\n`);
  },
);
