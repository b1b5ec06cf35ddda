/** The test server's own reading of Signature Version 4, against the examples in the specification of S3's. */
import { expect, it } from 'vitest';
import { computeSignature } from '#tests/harness/s3/signature-v4.ts';

const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const host = 'examplebucket.s3.amazonaws.com';
const time = '20130524T000000Z';

it.each([
  [
    'GET Object',
    'GET',
    '/test.txt',
    { host, range: 'bytes=0-9', 'x-amz-content-sha256': empty, 'x-amz-date': time },
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'PUT Object',
    'PUT',
    '/test%24file.text',
    {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      host,
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      'x-amz-date': time,
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    },
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
  [
    'GET Bucket Lifecycle',
    'GET',
    '/?lifecycle',
    { host, 'x-amz-content-sha256': empty, 'x-amz-date': time },
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'GET Bucket',
    'GET',
    '/?max-keys=2&prefix=J',
    { host, 'x-amz-content-sha256': empty, 'x-amz-date': time },
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
])('%s', (_name, method, url, headers, signature) => {
  const signed = {
    secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    ...{ region: 'us-east-1', time, signedHeaders: Object.keys(headers) },
  };
  expect(computeSignature({ method, url, headers }, signed)).toBe(signature);
});
