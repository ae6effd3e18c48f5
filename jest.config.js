const project = (name) => ({
  displayName: name,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  testEnvironment: 'node',
  transform: { '\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] },
  modulePathIgnorePatterns: ['<rootDir>/.local/', '<rootDir>/dist/'],
});

/** unit: pure logic, mocks and node scripts; plugins: our plugin binaries; e2e: the program on a rig; long: more of it, at more length. */
module.exports = {
  reporters: ['default', '<rootDir>/test/closing-line-reporter.js'],
  // Tests wait for processes more than they compute; on two cores jest would have one worker.
  maxWorkers: 3,
  // jest takes it here and not from a project. Slow tests set their own.
  testTimeout: 60_000,
  projects: [project('unit'), project('plugins'), project('e2e'), project('long')],
};
