/** What each plan grants. */
import type { PlanCode, TenantRow } from './store/rows.ts';

export interface Plan {
  readonly code: PlanCode;
  readonly name: string;
  /** Null: no limit. */
  readonly maxUsers: number | null;
  readonly apiCallsPerMonth: number | null;
  readonly features: readonly string[];
}

const everyPlansFeatures = ['entities', 'subscriptions', 'templates', 'api-keys'] as const;

export const plans: Readonly<Record<PlanCode, Plan>> = {
  FREE: { code: 'FREE', name: 'Free', maxUsers: 5, apiCallsPerMonth: 1_000, features: everyPlansFeatures },
  PROFESSIONAL: {
    code: 'PROFESSIONAL',
    name: 'Professional',
    maxUsers: 50,
    apiCallsPerMonth: 100_000,
    features: everyPlansFeatures,
  },
  ENTERPRISE: {
    code: 'ENTERPRISE',
    name: 'Enterprise',
    maxUsers: null,
    apiCallsPerMonth: null,
    features: everyPlansFeatures,
  },
};

/** How many users a tenant may have: its plan's number, or less where it chose so. Null: no limit. */
export function seatsOf(tenant: Pick<TenantRow, 'plan' | 'maxUsers'>): number | null {
  const granted = plans[tenant.plan].maxUsers;
  if (granted === null || tenant.maxUsers === null) return granted ?? tenant.maxUsers;
  return Math.min(granted, tenant.maxUsers);
}
