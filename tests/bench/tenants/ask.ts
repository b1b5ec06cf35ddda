/** Null: answered without an error. */
export async function ask(
  url: string,
  authorization: string,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<string | null> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  return response.ok && !text.startsWith('{"errors"')
    ? null
    : `HTTP ${response.status} ${text.slice(0, 300)}`;
}
