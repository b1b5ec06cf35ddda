/** What is said of files in the environment: where they are kept, and how large they may be. */
import type { Environment, EnvironmentReader } from '#subgraphs/server/subgraph-config.ts';
import type { S3Options } from './s3/s3-client.ts';
import type { FileLimits } from './service.ts';

export interface FilesConfig {
  readonly limits: FileLimits;
  /** Null: on disk, under the data folder. */
  readonly s3: S3Options | null;
}

const s3Variables = [
  'FILES_S3_ENDPOINT',
  'FILES_S3_BUCKET',
  'FILES_S3_REGION',
  'FILES_S3_ACCESS_KEY_ID',
  'FILES_S3_SECRET_ACCESS_KEY',
] as const;
const maxMegabytes = 1_000_000_000;

/** One of the S3 variables makes all of them necessary, but for the region. Problems come out of `reader.done()`. */
export function readFilesConfig(reader: EnvironmentReader, env: Environment): FilesConfig {
  const megabytes = (name: string, fallback: number): number =>
    2 ** 20 *
    Number(
      reader.text(
        name,
        String(fallback),
        `a whole number of megabytes, 1 to ${maxMegabytes}`,
        (value) => /^[1-9]\d{0,9}$/.test(value) && Number(value) <= maxMegabytes,
      ),
    );
  const limits = {
    maxFileBytes: megabytes('MAX_FILE_MB', 100),
    maxTenantBytes: megabytes('MAX_TENANT_FILES_MB', 10_240),
  };
  if (!s3Variables.some((name) => env[name])) return { limits, s3: null };
  const given = (name: string): string =>
    reader.text(name, '', 'set where another FILES_S3_ variable is', (value) => value.trim() !== '');
  return {
    limits,
    s3: {
      endpoint: reader.url('FILES_S3_ENDPOINT', ['http:', 'https:']),
      bucket: reader.text('FILES_S3_BUCKET', '', "a bucket's name: 3 to 63 of a-z, 0-9, . and -", (value) =>
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value),
      ),
      region: reader.text('FILES_S3_REGION', 'us-east-1', 'a region such as eu-central-1', (value) =>
        /^[a-z0-9-]{1,64}$/.test(value),
      ),
      accessKeyId: given('FILES_S3_ACCESS_KEY_ID'),
      secretAccessKey: given('FILES_S3_SECRET_ACCESS_KEY'),
    },
  };
}
