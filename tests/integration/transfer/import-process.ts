/** A process that runs one transfer, to be killed: says so once its first batches are noted down. */
import { pino } from 'pino';
import { createRecordDatabase } from '#prisma/record-database.ts';
import { createDefinitionStore } from '#subgraphs/entities/store/definition-store.ts';
import { createRecordStore } from '#subgraphs/entities/store/records.ts';
import { createKnownKeys } from '#subgraphs/entities/store/transfer-keys.ts';
import { createTransferStore } from '#subgraphs/entities/store/transfer-store.ts';
import { createDiskFiles } from '#subgraphs/entities/files/disk-files.ts';
import { createTransferService } from '#subgraphs/entities/transfer/service.ts';
import { nobody } from '#subgraphs/entities/transfer/tenant/subgraph-people.ts';
import { createLocalWakeUp } from '#subgraphs/server/wake-up/local.ts';
import { sharedServers } from '#tests/harness/shared-servers.ts';
import { databaseUrl } from '#tests/harness/test-cluster.ts';

const { IMPORT_DATABASE = '', IMPORT_FOLDER = '', IMPORT_TENANT = '', IMPORT_TRANSFER = '' } = process.env;

const url = databaseUrl(process.env[sharedServers.postgres] ?? '', IMPORT_DATABASE);
const database = createRecordDatabase({ url, rolePassword: null });
const wakeUp = createLocalWakeUp();
const definitions = createDefinitionStore(database);
const store = createTransferStore(database);
const service = createTransferService({
  store: {
    ...store,
    async report(claims, id, lease, report) {
      const answer = await store.report(claims, id, lease, report);
      if (report.rows === 3_000) process.stdout.write('under way\n');
      return answer;
    },
  },
  tools: {
    files: createDiskFiles(IMPORT_FOLDER),
    definitions,
    known: createKnownKeys(database),
    tenantFiles: null,
    records: createRecordStore(database, wakeUp, { reload: definitions.load }),
    people: nobody,
    getModel: (claims) => definitions.load(claims),
  },
  wakeUp,
  logger: pino({ level: 'silent' }),
});
service.runner.wake(IMPORT_TENANT, IMPORT_TRANSFER);
await service.runner.idle();
