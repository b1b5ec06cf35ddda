import { Kind, parse, type ConstDirectiveNode } from 'graphql';

/** Where a supergraph says that its subgraphs are: the values of `join__Graph`, the same in every version of the join spec. */
export function readSubgraphAddresses(
  supergraphSdl: string,
  overrides: ReadonlyMap<string, string>,
): { name: string; url: string }[] {
  const graphs = parse(supergraphSdl, { noLocation: true }).definitions.find(
    (definition) => definition.kind === Kind.ENUM_TYPE_DEFINITION && definition.name.value === 'join__Graph',
  );
  if (graphs?.kind !== Kind.ENUM_TYPE_DEFINITION) {
    throw new Error('The file is no supergraph: it has no enum join__Graph.');
  }
  const addresses = (graphs.values ?? []).map((value) => {
    const directive = value.directives?.find((it) => it.name.value === 'join__graph');
    const name = textOf(directive, 'name') ?? value.name.value;
    return { name, url: overrides.get(name) ?? textOf(directive, 'url') ?? '' };
  });
  for (const { name, url } of addresses) {
    if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) continue;
    throw new Error(
      `The subgraph "${name}" has no address ("${url}"): SUBGRAPH_URLS may give it one, ${name}=http://…`,
    );
  }
  return addresses;
}

function textOf(directive: ConstDirectiveNode | undefined, name: string): string | undefined {
  const value = directive?.arguments?.find((argument) => argument.name.value === name)?.value;
  return value?.kind === Kind.STRING ? value.value : undefined;
}
