/** What `@authenticated`, `@requiresScopes` and `@policy` of a supergraph ask of whoever selects a field. */
import {
  baseType,
  isInterfaceType,
  isObjectType,
  type DirectiveDefinition,
  type Schema,
} from '@apollo/federation-internals';
import type { Grants } from '#gateway/auth/grants.ts';

/** One thing that must be granted. `anyOf`: one of these groups, all of its members. */
export type Requirement =
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'scopes' | 'policies'; readonly anyOf: readonly (readonly string[])[] };

export interface Requirements {
  /** All that selecting `type.field` asks for; by text, so that equal ones are one. */
  of(type: string, field: string): ReadonlyMap<string, Requirement>;
}

interface Marked {
  appliedDirectivesOf(definition: DirectiveDefinition): readonly { arguments(): Record<string, unknown> }[];
}

const directives = [
  ['authenticated', null],
  ['requiresScopes', 'scopes'],
  ['policy', 'policies'],
] as const;

/** Null where the supergraph uses none of the three, whatever names it imports them by. */
export function readRequirements(supergraph: Schema): Requirements | null {
  const used: { definition: DirectiveDefinition; argument: 'scopes' | 'policies' | null }[] = [];
  for (const [name, argument] of directives) {
    const feature = supergraph.coreFeatures?.getByIdentity(`https://specs.apollo.dev/${name}`);
    const definition = feature && supergraph.directive(feature.directiveNameInSchema(name));
    if (definition) used.push({ definition, argument });
  }
  if (used.length === 0) return null;

  const marksOf = (element: Marked | undefined): [string, Requirement][] => {
    if (!element) return [];
    return used.flatMap(({ definition, argument }) =>
      element.appliedDirectivesOf(definition).map((applied): [string, Requirement] => {
        const requirement: Requirement =
          argument === null
            ? { kind: 'authenticated' }
            : { kind: argument, anyOf: applied.arguments()[argument] as string[][] };
        return [JSON.stringify(requirement), requirement];
      }),
    );
  };

  const known = new Map<string, ReadonlyMap<string, Requirement>>();
  return {
    of(typeName, fieldName) {
      const key = `${typeName}.${fieldName}`;
      let found = known.get(key);
      if (!found) known.set(key, (found = new Map(collect(supergraph, typeName, fieldName, marksOf))));
      return found;
    },
  };
}

/**
 * The type's marks, the field's, and those of the type that it answers. A field asked for by an interface asks for what
 * any of its objects does: whose object comes is known only when it is too late.
 */
function collect(
  supergraph: Schema,
  typeName: string,
  fieldName: string,
  marksOf: (element: Marked | undefined) => [string, Requirement][],
): [string, Requirement][] {
  const type = supergraph.type(typeName);
  if (!type || !(isObjectType(type) || isInterfaceType(type))) return [];
  const owners = isInterfaceType(type) ? [type, ...type.allImplementations()] : [type];
  return owners.flatMap((owner) => {
    const field = owner.field(fieldName);
    return [...marksOf(owner), ...marksOf(field), ...marksOf(field?.type && baseType(field.type))];
  });
}

/** Whether it is granted; without a credential nothing is, whatever else is said. */
export function isGranted(requirement: Requirement, grants: Grants): boolean {
  if (!grants.authenticated) return false;
  if (requirement.kind === 'authenticated') return true;
  const granted = requirement.kind === 'scopes' ? grants.scopes : grants.policies;
  return requirement.anyOf.some((group) => group.every((name) => granted.has(name)));
}
