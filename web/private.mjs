// The names that the page's build may shorten: those of private members that are the names of nothing else.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import ts from 'typescript';

/** What is named by a member that any code may see. */
const DECLARED = [
  ts.isPropertySignature,
  ts.isMethodSignature,
  ts.isPropertyDeclaration,
  ts.isMethodDeclaration,
  ts.isAccessor,
  ts.isPropertyAssignment,
  ts.isShorthandPropertyAssignment,
];

/** Matches the private members of the TypeScript files in `folder` that are only ever reached by `this`. */
export async function privateNames(folder) {
  const hidden = new Set();
  const seen = new Set();
  for (const file of await readdir(folder, { recursive: true })) {
    if (file.endsWith('.ts')) look(ts.createSourceFile(file, await readFile(join(folder, file), 'utf8'), ts.ScriptTarget.Latest), hidden, seen);
  }
  return new RegExp(`^(${[...hidden].filter((name) => !seen.has(name)).join('|')})$`);
}

function look(node, hidden, seen) {
  const modifiers = node.modifiers || [];
  if (modifiers.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)) hidden.add(node.name.text);
  else if (DECLARED.some((is) => is(node)) || (ts.isParameter(node) && modifiers.length > 0)) seen.add(node.name.text);
  else if (ts.isPropertyAccessExpression(node) && node.expression.kind !== ts.SyntaxKind.ThisKeyword) seen.add(node.name.text);
  else if (ts.isBindingElement(node)) seen.add((node.propertyName || node.name).text);
  else if (ts.isStringLiteralLike(node)) seen.add(node.text);
  ts.forEachChild(node, (child) => look(child, hidden, seen));
}
