/** Files of fields through the product, as a frontend uploads and reads them. */
import { createHash, randomBytes } from 'node:crypto';
import type { Client } from './client.ts';
import type { Product } from './product.ts';

export interface FileCalls {
  /** With the client's credentials; null: without any. */
  call(client: Client | null, path: string, init?: RequestInit): Promise<Response>;
  put(client: Client | null, path: string, body: Uint8Array | string): Promise<Response>;
  begin(client: Client, input: Record<string, unknown>): Promise<{ id: string; uploadUrl: string }>;
  /** The id of an uploaded file. */
  upload(client: Client, bytes: Uint8Array | string, input?: Record<string, unknown>): Promise<string>;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Something that begins as an image does. */
export const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(2_000)]);

export function createFileCalls(product: Product): FileCalls {
  const calls: FileCalls = {
    call(client, path, init = {}) {
      const credentials = client === null ? {} : (client.credentials as Record<string, string>);
      return fetch(product.url + path, { ...init, headers: { ...credentials, ...(init.headers as object) } });
    },
    put: (client, path, body) =>
      calls.call(client, path, {
        method: 'PUT',
        body: body as BodyInit,
        headers: { 'content-type': 'image/png' },
      }),
    async begin(client, input) {
      const { createUpload } = await client.query(
        `mutation ($input: CreateUploadInput!) { createUpload(input: $input) { id uploadUrl maxBytes expiresAt } }`,
        { input },
      );
      return createUpload;
    },
    async upload(client, bytes, input = { fileName: 'a.bin' }) {
      const { id, uploadUrl } = await calls.begin(client, input);
      const answer = await calls.put(client, uploadUrl, bytes);
      if (answer.status !== 200) throw new Error(`upload: ${answer.status} ${await answer.text()}`);
      return id;
    },
  };
  return calls;
}

/** An entity with two fields of files, one of them with limits. */
export const defineContact = `mutation { createEntity(input: { name: "contact", fields: [
  { name: "name", type: TEXT }
  { name: "photo", type: FILE, validation: { maxBytes: 1000000, contentTypes: ["image/*"] } }
  { name: "contract", type: FILE }
] }) { id } }`;

const fileMembers = 'id name contentType size sha256 url createdAt signedUrl';
const members = `id version photo { ${fileMembers} } contract { ${fileMembers} }`;
export const createContact = `mutation ($input: CreateContactInput!) { createContact(input: $input) { ${members} } }`;
export const updateContact = `mutation ($id: ID!, $input: UpdateContactInput!) { updateContact(id: $id, input: $input) { ${members} } }`;
