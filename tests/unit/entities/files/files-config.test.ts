import { describe, expect, it } from 'vitest';
import { readEntitiesConfig } from '#subgraphs/entities/config.ts';

const process = { DATABASE_URL: 'postgres://db/tenantry', SUBGRAPH_SECRET: 'a secret of sixteen or more' };
const s3 = {
  FILES_S3_ENDPOINT: 'https://s3.eu-central-1.amazonaws.com',
  FILES_S3_BUCKET: 'our-files',
  FILES_S3_REGION: 'eu-central-1',
  FILES_S3_ACCESS_KEY_ID: 'AKIDHIDDEN',
  FILES_S3_SECRET_ACCESS_KEY: 'hidden/secret',
};
const read = (env: Record<string, string>) => readEntitiesConfig({ ...process, ...env }).files;

describe('where files are kept', () => {
  it('is the disk, with limits, unless a bucket is named', () => {
    expect(read({})).toEqual({
      s3: null,
      limits: { maxFileBytes: 100 * 2 ** 20, maxTenantBytes: 10 * 2 ** 30 },
    });
    expect(read({ MAX_FILE_MB: '5', MAX_TENANT_FILES_MB: '7' }).limits).toEqual({
      maxFileBytes: 5 * 2 ** 20,
      maxTenantBytes: 7 * 2 ** 20,
    });
    expect(read(s3).s3).toEqual({
      endpoint: s3.FILES_S3_ENDPOINT,
      bucket: s3.FILES_S3_BUCKET,
      region: 'eu-central-1',
      accessKeyId: s3.FILES_S3_ACCESS_KEY_ID,
      secretAccessKey: s3.FILES_S3_SECRET_ACCESS_KEY,
    });
    expect(read({ ...s3, FILES_S3_REGION: '' }).s3?.region).toBe('us-east-1');
  });

  it.each([
    [{ MAX_FILE_MB: '0' }, 'MAX_FILE_MB'],
    [{ MAX_FILE_MB: '1.5' }, 'MAX_FILE_MB'],
    [{ MAX_TENANT_FILES_MB: 'much' }, 'MAX_TENANT_FILES_MB'],
    [{ ...s3, FILES_S3_ENDPOINT: '' }, 'FILES_S3_ENDPOINT is not set'],
    [{ ...s3, FILES_S3_ENDPOINT: 's3://our-files' }, 'FILES_S3_ENDPOINT'],
    [{ ...s3, FILES_S3_BUCKET: 'Our Files' }, 'FILES_S3_BUCKET'],
    [{ ...s3, FILES_S3_BUCKET: '' }, 'FILES_S3_BUCKET is not set'],
    [{ ...s3, FILES_S3_ACCESS_KEY_ID: '' }, 'FILES_S3_ACCESS_KEY_ID is not set'],
    [{ ...s3, FILES_S3_SECRET_ACCESS_KEY: '' }, 'FILES_S3_SECRET_ACCESS_KEY is not set'],
    [{ FILES_S3_SECRET_ACCESS_KEY: 'hidden/secret' }, 'FILES_S3_BUCKET is not set'],
    [{ ...s3, FILES_S3_REGION: 'EU west' }, 'FILES_S3_REGION'],
  ])('is refused: %j', (env, problem) => {
    let message = '';
    try {
      read(env);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain(problem);
    expect(message).not.toMatch(/hidden/i);
  });
});
