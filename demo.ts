/** The tenants that a first look at the product finds: `acme` and `globex`, with the template `crm` and its data. */
import { randomUUID } from 'node:crypto';
import { anonymousClaims, type Claims } from '#schema/claims.ts';
import type { SubgraphService } from '#schema/subgraph-protocol.ts';
import { createDemoData } from '#subgraphs/entities/templates/demo-data.ts';
import type { DefinitionStore } from '#subgraphs/entities/store/definition-store.ts';
import type { RecordStore } from '#subgraphs/entities/store/record-store.ts';

export interface DemoOptions {
  tenants: Pick<SubgraphService, 'execute'>;
  records: RecordStore;
  definitions: Pick<DefinitionStore, 'load'>;
}

/** Known to everybody: the demo listens on this machine alone unless HOST says otherwise. */
const demoPassword = 'demo-password';
const demoTenants = [
  { name: 'Acme', slug: 'acme' },
  { name: 'Globex', slug: 'globex' },
];

const register = /* GraphQL */ `
  mutation Demo($input: RegisterTenantInput!) { registerTenant(input: $input) { tenant { id } user { id } } }
`;

interface Registered {
  registerTenant: { tenant: { id: string }; user: { id: string } };
}

/** Makes what is not there yet, and answers one line for each sign-in. */
export async function createDemo(options: DemoOptions): Promise<string[]> {
  const lines: string[] = [];
  for (const { name, slug } of demoTenants) {
    const adminEmail = `admin@${slug}.example`;
    const requestId = randomUUID();
    const result = await options.tenants.execute({
      query: register,
      variables: {
        input: {
          name,
          slug,
          adminEmail,
          adminPassword: demoPassword,
          plan: 'PROFESSIONAL',
          templates: ['crm'],
        },
      },
      claims: anonymousClaims,
      definitionsVersion: null,
      requestId,
      clientAddress: null,
    });
    const [error] = result.errors ?? [];
    if (error && error.extensions['code'] !== 'CONFLICT') throw error;
    if (!error) {
      const { tenant, user } = (result.data as unknown as Registered).registerTenant;
      const claims: Claims = {
        tenantId: tenant.id,
        actorKind: 'USER',
        actorId: user.id,
        role: 'ADMIN',
        authVersion: 0,
        sessionId: null,
      };
      const model = await options.definitions.load(claims);
      await createDemoData({ records: options.records, model, claims, requestId });
    }
    lines.push(`tenant ${slug.padEnd(8)} e-mail ${adminEmail.padEnd(22)} password ${demoPassword}`);
  }
  return lines;
}
