/**
 * Names that no tenant's definition may generate: every static and planned root field and type. What we add later comes
 * from this list, so a definition that was accepted once never breaks. Compared without regard to case.
 */

/**
 * Things of our own that a tenant might also think of. Everything that an entity of that name would generate is ours
 * (`webhook`, `webhooks`, `createWebhook`, `WebhookFilter`, `webhookChanged` …): see `familyOf`.
 */
const nouns: readonly [singular: string, plural: string][] = [
  ['user', 'users'],
  ['tenant', 'tenants'],
  ['plan', 'plans'],
  ['session', 'sessions'],
  ['apiKey', 'apiKeys'],
  ['invoice', 'invoices'],
  ['invoiceLine', 'invoiceLines'],
  ['operator', 'operators'],
  ['role', 'roles'],
  ['permission', 'permissions'],
  ['identityProvider', 'identityProviders'],
  ['passkey', 'passkeys'],
  ['connector', 'connectors'],
  ['customDomain', 'customDomains'],
  ['sandbox', 'sandboxes'],
  ['paymentMethod', 'paymentMethods'],
  ['auditEntry', 'auditEntries'],
  ['healthCheck', 'healthChecks'],
  ['entity', 'entities'],
  ['field', 'fields'],
  ['entityDefinition', 'entityDefinitions'],
  ['fieldDefinition', 'fieldDefinitions'],
  ['definition', 'definitions'],
  ['definitionVersion', 'definitionVersions'],
  ['template', 'templates'],
  ['record', 'records'],
  ['recordVersion', 'recordVersions'],
  ['file', 'files'],
  ['upload', 'uploads'],
  ['transfer', 'transfers'],
  ['job', 'jobs'],
  ['change', 'changes'],
  ['notification', 'notifications'],
  ['notificationSubscription', 'notificationSubscriptions'],
  ['webhook', 'webhooks'],
  ['webhookDelivery', 'webhookDeliveries'],
  ['node', 'nodes'],
  ['rateLimit', 'rateLimits'],
];

const rootFields = [
  // tenants
  'me',
  'config',
  'usage',
  'auditLog',
  'audit',
  'health',
  'performanceStats',
  'tenantStats',
  'statistics',
  'metrics',
  'registerTenant',
  'login',
  'logout',
  'refreshSession',
  'revokeSession',
  'revokeSessions',
  'revokeApiKey',
  'changePlan',
  'changePassword',
  'resetPassword',
  'requestPasswordReset',
  'verifyEmail',
  'enableTotp',
  'disableTotp',
  'verifyTotp',
  'setTenantStatus',
  'inviteUser',
  'acceptInvite',
  'eraseTenant',
  'erasePerson',
  'copyTenant',
  'restoreTenant',
  'exportTenant',
  'importTenant',
  // entities
  'applyTemplate',
  'renameEntity',
  'renameField',
  'retypeField',
  'planRetype',
  'dropAlias',
  'activateEntity',
  'activateField',
  'deactivateEntity',
  'deactivateField',
  'exportDefinitions',
  'planDefinitions',
  'applyDefinitions',
  'inferDefinitions',
  'definitionsChanged',
  'setPermissions',
  'aggregate',
  'history',
  'search',
  'startImport',
  'startExport',
  'resumeTransfer',
  'cancelTransfer',
  'stopTransfer',
  'proposeEntity',
  'transferProgress',
  'importRecords',
  'exportRecords',
  'uploadFile',
  'enhanceRecord',
  'enhanceProduct',
  'mapFeed',
  'scrapePage',
  // realtime and background work
  'recordChanged',
  'notify',
  'notificationReceived',
  'markNotificationsRead',
  'jobProgress',
  'retryJob',
  'cancelJob',
  'testWebhook',
  'retryDelivery',
  // federation
  '_entities',
  '_service',
] as const;

const types = [
  // GraphQL and federation
  'Query',
  'Mutation',
  'Subscription',
  'String',
  'Int',
  'Float',
  'Boolean',
  'ID',
  '_Any',
  '_Entity',
  '_Service',
  'FieldSet',
  '_FieldSet',
  // scalars
  'Date',
  'DateTime',
  'Time',
  'Decimal',
  'JSON',
  'JSONObject',
  'BigInt',
  'Long',
  'UUID',
  'Upload',
  // shared
  'PageInfo',
  'OrderDirection',
  'TextMode',
  'StringMode',
  'FilterMode',
  'DatePart',
  'DateBucket',
  ...[
    'String',
    'Text',
    'Int',
    'Float',
    'Number',
    'Boolean',
    'Date',
    'DateTime',
    'Decimal',
    'ID',
    'Json',
    'File',
    'List',
    'StringList',
  ].flatMap((kind) => [`${kind}Comparison`, `${kind}Filter`]),
  ...['Int', 'Float', 'Number', 'Decimal', 'Date', 'DateTime'].map((kind) => `${kind}Having`),
  // tenants
  'PlanCode',
  'PlanLimits',
  'TenantStatus',
  'TenantSettings',
  'TenantStats',
  'FrontendConfig',
  'FrontendEndpoints',
  'Endpoints',
  'Usage',
  'UsageDay',
  'UsageLimits',
  'AuditFilter',
  'AuditConnection',
  'AuditEdge',
  'AuditOperation',
  'HealthStatus',
  'PerformanceStats',
  'ActorKind',
  'RegisterTenantInput',
  'RegisterTenantPayload',
  'LoginInput',
  'AuthPayload',
  'CreateApiKeyPayload',
  // entities
  'FieldType',
  'FieldValidation',
  'FieldValidationInput',
  'FieldOption',
  'FieldOptionInput',
  'FieldInput',
  'OnDelete',
  'OnDeleteRule',
  'RecordOrder',
  'RecordOperation',
  'DefinitionsInput',
  'DefinitionsPlan',
  'EntityOperation',
  'EntityPermission',
  'DefinitionsPlanStep',
  'DefinitionStepKind',
  'ComputedDefault',
  'ComputedDefaultInput',
  'ComputedDefaultKind',
  'EntityLimits',
  'EntityLimitsInput',
  'UniqueGroup',
  'UniqueGroupInput',
  'FieldBackfill',
  'BackfillState',
  'DuplicateValue',
  'RetypePlan',
  'RetypeInput',
  'RetypeProblem',
  'RetypeErrorRule',
  'DefinitionsChange',
  'PermissionInput',
  'TransferFormat',
  'TransferReport',
  'TransferError',
  'ImportInput',
  'ExportInput',
  'TransferFailure',
  'StartImportInput',
  'StartExportInput',
  'ResumeTransferInput',
  'ImportMode',
  'ImportErrorRule',
  'ColumnMapping',
  'ColumnMappingInput',
  'EntityProposal',
  'FieldProposal',
  // realtime and background work
  'ChangeOperation',
  'NotifyInput',
  'NotificationLevel',
  'JobStatus',
  'JobPriority',
  'WebhookSecret',
] as const;

const verbs = ['create', 'update', 'upsert', 'delete', 'restore', 'purge', 'import', 'export'] as const;
const inputVerbs = ['Create', 'Update', 'Upsert'] as const;
const typeEnds = [
  'Filter',
  'ListFilter',
  'Order',
  'Connection',
  'Edge',
  'Aggregate',
  'GroupBy',
  'Having',
  ...['Group', 'Distinct', 'Totals', 'Bounds', 'Order'].map((end) => `Aggregate${end}`),
  ...['Distinct', 'Totals', 'Bounds'].map((end) => `Having${end}`),
  'UniqueField',
  'Change',
  'History',
  'Version',
  'Connect',
  'RelationInput',
  'Input',
  'Payload',
  'Status',
  'Kind',
  'Type',
  'State',
] as const;

/** What an entity generates, or will: the same shapes as `generatedNames` in the model, kept wider on purpose. */
function familyOf([singular, plural]: readonly [string, string]): string[] {
  const type = capitalise(singular);
  const types = capitalise(plural);
  const rootNames = [
    `${plural}Aggregate`,
    `${singular}Aggregate`,
    `${singular}History`,
    `${singular}Changed`,
  ];
  return [
    singular,
    plural,
    ...rootNames,
    ...verbs.flatMap((verb) => [`${verb}${type}`, `${verb}${types}`]),
    ...typeEnds.map((end) => type + end),
    ...inputVerbs.flatMap((verb) => [`${verb}${type}Input`, `${verb}${types}Input`]),
  ];
}

const reserved = new Map<string, string>();
for (const name of [...nouns.flatMap(familyOf), ...rootFields, ...types])
  reserved.set(name.toLowerCase(), name);

/**
 * The reserved name that `name` equals without regard to case, or null. Introspection's and federation's namespaces are
 * reserved whole: a leading `__`, and `__` anywhere in a type's or root field's name (`join__Type`, `link__Import`).
 */
export function findReservedName(name: string): string | null {
  if (name.includes('__')) return '__';
  return reserved.get(name.toLowerCase()) ?? null;
}

/** Members that every record has, or that the filter language uses. */
const systemFields = [
  'id',
  'version',
  'createdAt',
  'updatedAt',
  'createdBy',
  'deletedAt',
  'and',
  'or',
  'not',
] as const;

/** Members that every JavaScript object inherits: in a record's JSON they would be found where nothing was stored. */
const inherited = Object.getOwnPropertyNames(Object.prototype);

const reservedFields = new Map([...systemFields, ...inherited].map((name) => [name.toLowerCase(), name]));

/** The reserved name that a field's (or inverse's) name equals without regard to case, or null. */
export function findReservedFieldName(name: string): string | null {
  if (name.startsWith('__')) return '__';
  return reservedFields.get(name.toLowerCase()) ?? null;
}

function capitalise(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
