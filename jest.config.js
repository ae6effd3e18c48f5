const project = (name, testTimeout) => ({
  displayName: name,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  testEnvironment: 'node',
  transform: { '\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] },
  modulePathIgnorePatterns: ['<rootDir>/.local/'],
  testTimeout,
});

/** unit: pure logic, mocks and node scripts; plugins: our plugin binaries; e2e: the program on a rig. */
module.exports = {
  reporters: ['default', '<rootDir>/test/closing-line-reporter.js'],
  projects: [project('unit', 60_000), project('plugins', 240_000), project('e2e', 1_800_000)],
};
