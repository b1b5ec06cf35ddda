/**
 * AWS Signature Version 4 as a server checks it, written from its specification and held to the specification's own
 * examples: a second opinion on what the product sends.
 */
import { createHash, createHmac } from 'node:crypto';

export interface SignedRequest {
  readonly method: string;
  /** As sent: path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Signature {
  readonly accessKeyId: string;
  readonly region: string;
  /** "20130524T000000Z" */
  readonly time: string;
  readonly signature: string;
}

/** The `Authorization` header's parts; null where it is none of this kind. */
export function readSignature({ headers }: SignedRequest): (Signature & { signedHeaders: string[] }) | null {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;
  const [, accessKeyId, day, region, names, signature] = pattern.exec(textOf(headers['authorization'])) ?? [];
  const time = textOf(headers['x-amz-date']);
  if (!accessKeyId || !day || !region || !names || !signature || !time.startsWith(day)) return null;
  return { accessKeyId, region, time, signature, signedHeaders: names.split(';') };
}

/** What the signature of the request must be. */
export function computeSignature(
  request: SignedRequest,
  signed: { secret: string; region: string; time: string; signedHeaders: readonly string[] },
): string {
  const { secret, region, time, signedHeaders } = signed;
  const [path = '', query = ''] = request.url.split('?');
  const parameters = query === '' ? [] : query.split('&').map((one) => (one.includes('=') ? one : `${one}=`));
  const canonical = [
    request.method,
    path
      .split('/')
      .map((part) => encode(decodeURIComponent(part)))
      .join('/'),
    parameters.toSorted().join('&'),
    ...signedHeaders.map((name) => `${name}:${textOf(request.headers[name]).trim().replace(/ +/g, ' ')}`),
    '',
    signedHeaders.join(';'),
    textOf(request.headers['x-amz-content-sha256']),
  ].join('\n');
  const day = time.slice(0, 8);
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = [day, region, 's3', 'aws4_request'].reduce<Buffer | string>(hmac, `AWS4${secret}`);
  return hmac(key, toSign).toString('hex');
}

/** Everything but the unreserved characters in percents. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const textOf = (value: string | string[] | undefined): string => [value ?? ''].flat().join(',');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();
