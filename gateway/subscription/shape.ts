import type { ExecutionRequest } from '#gateway/execution/executor.ts';
import type { OperationText } from '#gateway/execution/operation-cache.ts';
import type { KnownOperation, OperationCall } from '#gateway/execution/operation-runner.ts';
import { scopeKey } from '#gateway/graph/scope.ts';
import type { Claims } from '#schema/claims.ts';
import { subgraphHeaders } from '#schema/subgraph-protocol.ts';
import { canonicalJson } from './canonical-json.ts';

/** How a subscriber's events are asked for, and with whom they may be shared. */
export interface Shape {
  /** Equal for subscribers whose every message is the same. */
  readonly key: string;
  /**
   * `placed`: once it is known where each of them is in the log. `joined`: from the moment of joining, where upstreams have
   * no places. `alone`: never.
   */
  readonly sharing: 'placed' | 'joined' | 'alone';
  /** What all of them are to the subgraphs. */
  readonly identity: Pick<
    ExecutionRequest,
    'claims' | 'grants' | 'headers' | 'clientAddress' | 'tellsPlace' | 'variables'
  >;
}

/**
 * What a subscriber has in common with its equals. Of a tenant's graph everybody in the same role sees the same, unless
 * the role's permissions name the user, or a subgraph takes part that does not say what depends on the user. In front of
 * other graphs those are equal who send the same headers and are granted the same. Throws BAD_USER_INPUT.
 */
export function shapeOf(
  { caller, active, operation }: KnownOperation,
  text: OperationText,
  call: OperationCall,
): Shape {
  const { claims, grants } = caller;
  const { stream } = operation;
  const { sharing: rules } = active;
  const isOurs =
    rules !== null && !!stream && [...stream.subgraphs].every((name) => rules.subgraphs.has(name));
  const tellsPlace = rules !== null && !!stream && rules.subgraphs.has(stream.source);
  const isPerUser =
    !isOurs ||
    (claims.actorKind !== 'USER' && claims.actorKind !== 'SERVICE') ||
    claims.role === null ||
    rules.perUserRoles.has(claims.role) ||
    operation.summary.rootFields.some((field) => rules.perUserSubscriptions.has(field));
  const identity = {
    claims: isPerUser ? claims : commonClaims(claims),
    grants,
    // Subgraphs that are not ours may look at all of it.
    headers: isOurs ? undefined : call.headers,
    clientAddress: isOurs ? null : call.clientAddress,
    tellsPlace,
    variables: call.variables,
  };
  const key = [
    scopeKey(caller.scope),
    ...[claims.actorKind, claims.role, isPerUser ? claims.actorId : null],
    ...[text.operationName, text.query],
    canonicalJson(without(call.variables, tellsPlace ? stream.resumeVariable : null)),
    isOurs ? null : [claims.sessionId, call.clientAddress, headersOf(call), grantsOf(caller.grants)],
  ];
  const sharing = tellsPlace ? 'placed' : rules === null ? 'joined' : 'alone';
  return { key: JSON.stringify(key), sharing, identity };
}

/** Nobody's in particular: no subgraph can tell one user of the role from another. */
function commonClaims(claims: Claims): Claims {
  return { ...claims, actorId: null, sessionId: null };
}

function without(
  variables: Readonly<Record<string, unknown>>,
  name: string | null,
): Readonly<Record<string, unknown>> {
  if (name === null || !Object.hasOwn(variables, name)) return variables;
  return Object.fromEntries(Object.entries(variables).filter(([key]) => key !== name));
}

/** All but the request's id, which is never the same. */
function headersOf({ headers = {} }: OperationCall): [string, string][] {
  return Object.entries(headers)
    .filter(([name]) => name !== subgraphHeaders.requestId)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
}

function grantsOf(grants: ExecutionRequest['grants']): unknown {
  if (!grants) return null;
  return [grants.authenticated, [...grants.scopes].toSorted(), [...grants.policies].toSorted()];
}
