import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import * as ts from 'typescript';

/**
 * Writes the reference of what the package exports, from its doc comments; `make docs` runs it. `--out` names another file
 * than docs/reference.md.
 */

const checkout = path.join(__dirname, '..');

/** The initial value of what an identifier names, as long as it is one. */
function resolved(expression: ts.Expression, checker: ts.TypeChecker): ts.Expression {
  if (!ts.isIdentifier(expression)) return expression;
  let symbol = checker.getSymbolAtLocation(expression);
  if (symbol !== undefined && ts.isShorthandPropertyAssignment(expression.parent)) {
    symbol = checker.getShorthandAssignmentValueSymbol(expression.parent);
  }
  const declaration = symbol?.valueDeclaration;
  return declaration !== undefined && ts.isVariableDeclaration(declaration) && declaration.initializer
    ? resolved(declaration.initializer, checker)
    : expression;
}

/** What a value of the schema is described as, by the last `.describe(…)` of its chain of calls. */
function describedAs(expression: ts.Expression, checker: ts.TypeChecker): string | undefined {
  const call = resolved(expression, checker);
  if (!ts.isCallExpression(call) || !ts.isPropertyAccessExpression(call.expression)) return undefined;
  const [text] = call.arguments;
  if (call.expression.name.text !== 'describe') return describedAs(call.expression.expression, checker);
  return text !== undefined && ts.isStringLiteralLike(text) ? text.text : undefined;
}

/** The description of a key of the stack configuration, which stands in the schema instead of a doc comment. */
function schemaDescription(declaration: ts.Declaration, checker: ts.TypeChecker): string | undefined {
  if (ts.isPropertyAssignment(declaration)) return describedAs(declaration.initializer, checker);
  return ts.isShorthandPropertyAssignment(declaration) ? describedAs(declaration.name, checker) : undefined;
}

/** @returns the Markdown text of the reference. */
async function reference(folder: string): Promise<string> {
  // Both are ES modules, which this program is not.
  const { Application, Comment, Converter, ReflectionKind } = await import('typedoc');
  const app = await Application.bootstrapWithPlugins({
    entryPoints: [path.join(checkout, 'components/index.ts')],
    tsconfig: path.join(checkout, 'tsconfig.package.json'),
    plugin: ['typedoc-plugin-markdown'],
    // `make check` looks at the types.
    skipErrorChecking: true,
    logLevel: 'Warn',
    treatWarningsAsErrors: true,
    validation: { notExported: true, invalidLink: true, notDocumented: true },
    requiredToBeDocumented: ['Class', 'Interface', 'Property', 'Method', 'Function', 'TypeAlias'],
    // The schema of the configuration has a reference of its own, and the rest is for the components themselves.
    intentionallyNotExported: [
      'configSchema',
      'fleetSchema',
      'overrideSchema',
      'AwsSources',
      'AwsSourcesArgs',
    ],
    out: folder,
    cleanOutputDir: false,
    name: 'Reference of the package',
    readme: 'none',
    disableSources: true,
    excludePrivate: true,
    excludeExternals: true,
    excludeInternal: true,
    sort: ['source-order'],
    ...({
      router: 'module',
      entryFileName: 'reference',
      hideBreadcrumbs: true,
      hidePageHeader: true,
      useCodeBlocks: true,
      parametersFormat: 'table',
      interfacePropertiesFormat: 'table',
      classPropertiesFormat: 'table',
      typeDeclarationFormat: 'table',
      propertyMembersFormat: 'table',
      tableColumnSettings: {
        hideModifiers: true,
        hideInherited: true,
        hideOverrides: true,
        hideSources: true,
      },
    } as object),
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    const [program] = context.programs;
    if (program === undefined) throw new Error('typedoc has read no program');
    const checker = program.getTypeChecker();
    for (const property of context.project.getReflectionsByKind(ReflectionKind.Property)) {
      const [declaration] = context.getSymbolFromReflection(property)?.declarations ?? [];
      const text = declaration === undefined ? undefined : schemaDescription(declaration, checker);
      if (text !== undefined) property.comment ??= new Comment([{ kind: 'text', text }]);
    }
  });
  const project = await app.convert();
  if (project === undefined) throw new Error('the doc comments could not be read; see above');
  app.validate(project);
  await app.generateOutputs(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) {
    throw new Error('the reference would have gaps; see above');
  }
  return fs.readFileSync(path.join(folder, 'reference.md'), 'utf8');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: path.join(checkout, 'docs/reference.md') } },
  });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-reference-'));
  try {
    fs.writeFileSync(values.out, await reference(folder));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
