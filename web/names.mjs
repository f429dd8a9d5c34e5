// Lists the class members for which the tab's script may use shorter names, because neither
// browsers, functions nor masters use them.
import { dirname } from 'node:path';
import ts from 'typescript';

/**
 * Returns the names of members which only Pando's own sources declare and use. Members known
 * elsewhere are declared in `messages.ts`, or under a comment with the tag `@spoken`.
 */
export function ownNames(configFile) {
  const { config } = ts.readConfigFile(configFile, ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(configFile));
  const program = ts.createProgram(fileNames, options);
  const checker = program.getTypeChecker();
  const sources = fileNames.map((name) => program.getSourceFile(name));
  const own = new Set();
  const known = new Set();
  const visit = (node) => {
    const declarations = ts.isIdentifier(node) && declarationsOf(node, checker);
    if (declarations)
      (declarations.length > 0 && declarations.every((one) => isOurs(one, sources))
        ? own
        : known
      ).add(node.text);
    ts.forEachChild(node, visit);
  };
  sources.forEach(visit);
  return [...own].filter((name) => !known.has(name));
}

/** The declarations of the member called `name`; null if `name` is not the name of a member. */
function declarationsOf(name, checker) {
  const { parent } = name;
  if ((parent.propertyName || parent.name) !== name) return null;
  const of = (...symbols) => symbols.flatMap((symbol) => (symbol && symbol.declarations) || []);
  const inType = (type) =>
    of(
      ...((type && (type.types || [type])) || []).map((one) =>
        checker.getPropertyOfType(one, name.text),
      ),
    );
  if (ts.isPropertyAccessExpression(parent)) return of(checker.getSymbolAtLocation(name));
  if (ts.isObjectLiteralExpression(parent.parent))
    return inType(checker.getContextualType(parent.parent));
  if (ts.isObjectBindingPattern(parent.parent))
    return inType(checker.getTypeAtLocation(parent.parent));
  const isMember =
    ts.isClassElement(parent) ||
    ts.isTypeElement(parent) ||
    ts.isParameterPropertyDeclaration(parent, parent.parent);
  return isMember ? of(parent.symbol) : null;
}

/**
 * Whether a class or a named type of Pando declares the member. An inline type in a function
 * describes objects of other programs.
 */
function isOurs(declaration, sources) {
  const file = declaration.getSourceFile();
  if (!sources.includes(file) || file.fileName.endsWith('/messages.ts')) return false;
  const member = ts.isParameter(declaration) ? declaration.parent : declaration;
  const around = ts.findAncestor(
    member.parent,
    (node) => !ts.isTypeNode(node) && !ts.isTypeElement(node) && !ts.isPropertyDeclaration(node),
  );
  const isType =
    ts.isClassDeclaration(around) ||
    ts.isInterfaceDeclaration(around) ||
    ts.isTypeAliasDeclaration(around);
  return isType && !ts.getJSDocTags(around).some(({ tagName }) => tagName.text === 'spoken');
}
