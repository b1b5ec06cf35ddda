import type { IncomingMessage } from 'node:http';
import { fastifyCookie } from '@fastify/cookie';
import { GraphQLError, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { CloseCode, type Context, type ServerOptions, type SubscribePayload } from 'graphql-ws';
import type { Authenticator } from '#gateway/auth/authenticator.ts';
import type { Caller } from '#gateway/auth/caller.ts';
import { readCredentials, type CredentialRules } from '#gateway/auth/credentials.ts';
import type { OperationCall, OperationRunner } from '#gateway/execution/operation-runner.ts';
import { pickHeaders } from '#gateway/execution/http/forwarded-headers.ts';
import { toGraphQLError } from '#gateway/execution/subgraph-call.ts';
import { publishErrors } from '#gateway/execution/outgoing-errors.ts';
import { slimDocument } from '#gateway/http/slim-document.ts';
import type { Logger } from '#gateway/logger.ts';
import type { LiveSubscriptions } from '#gateway/subscription/live-subscriptions.ts';
import { DomainError, type ErrorCode } from '#schema/errors.ts';
import type { EventSinks } from './event-sinks.ts';
import { createEventStream, createSingleResult } from './operation-streams.ts';

/** What is known of one socket. */
export interface SocketExtra {
  readonly request: IncomingMessage;
  readonly clientAddress: string | null;
  /** Aborts when the socket closes. */
  readonly gone: AbortSignal;
  /** Subscribes that have not taken their place yet. */
  readonly opening: Set<Promise<unknown>>;
  readonly sinks: EventSinks;
  caller: Caller | undefined;
  close(code: number, reason: string): void;
}

export interface OperationHooksOptions {
  readonly authenticator: Authenticator;
  readonly credentialRules: CredentialRules;
  readonly runner: OperationRunner;
  readonly live: LiveSubscriptions;
  readonly logger: Logger;
  /** Running at once on one socket. Default 500. */
  readonly maxOperationsPerSocket?: number;
  /** Names of the headers, or `connection_init` keys, that are passed on to subgraphs that are not ours. Default: none. */
  readonly forwardHeaders?: readonly string[];
}

type Args = ExecutionArgs & { contextValue: { run(): AsyncIterableIterator<ExecutionResult> } };
type SocketContext = Context<Record<string, unknown>, SocketExtra>;

/** The graphql-transport-ws server's decisions: who connects, and what each Subscribe runs. */
export function createOperationHooks(
  options: OperationHooksOptions,
): ServerOptions<Record<string, unknown>, SocketExtra> {
  const {
    authenticator,
    credentialRules,
    runner,
    live,
    logger,
    maxOperationsPerSocket = 500,
    forwardHeaders = [],
  } = options;

  async function onConnect({ connectionParams, extra }: SocketContext): Promise<boolean> {
    const { headers } = extra.request;
    try {
      const cookies = fastifyCookie.parse(headers.cookie ?? '');
      const credentials = readCredentials({ headers, cookies, connectionParams }, credentialRules);
      extra.caller = await authenticator.authenticate(credentials);
      return true;
    } catch (error) {
      const known = error instanceof DomainError;
      if (!known) logger.error({ err: error }, 'a connection could not be authenticated');
      extra.close(
        closeCodeOf(known ? error.code : 'INTERNAL_SERVER_ERROR'),
        known ? `${error.code}: ${error.message}` : 'INTERNAL_SERVER_ERROR',
      );
      return false;
    }
  }

  /** The rights of now, not of when the socket was opened. */
  async function getCaller(extra: SocketExtra): Promise<Caller> {
    if (!extra.caller) throw new Error('a socket was used before it was authenticated');
    extra.caller = await authenticator.recheck(extra.caller);
    return extra.caller;
  }

  async function start(
    context: SocketContext,
    id: string,
    payload: SubscribePayload,
  ): Promise<Args | readonly GraphQLError[]> {
    const { extra } = context;
    const requestId = crypto.randomUUID();
    if (Object.keys(context.subscriptions).length > maxOperationsPerSocket) {
      const message = `At most ${maxOperationsPerSocket} operations may run at once on a connection.`;
      return [new GraphQLError(message, { extensions: { code: 'RATE_LIMITED' } })];
    }
    try {
      const caller = await getCaller(extra);
      const text = { query: payload.query, operationName: payload.operationName || null };
      const known = await runner.prepare(caller, text, requestId);
      if ('errors' in known) return known.errors;
      const call: OperationCall = {
        variables: payload.variables ?? {},
        requestId,
        clientAddress: extra.clientAddress,
        headers: pickHeaders(
          forwardHeaders,
          [context.connectionParams ?? {}, extra.request.headers],
          requestId,
        ),
        signal: extra.gone,
      };
      const { summary } = known.operation;
      if (summary.kind !== 'subscription') {
        return toArgs(summary, () =>
          createSingleResult((signal) => runner.execute(known, { ...call, signal })),
        );
      }
      const subscription = await live.open(known, text, call);
      if (!('attach' in subscription)) return (subscription.errors as GraphQLError[] | undefined) ?? [];
      return toArgs(summary, () => createEventStream(subscription, id, extra.sinks));
    } catch (error) {
      return publishErrors([toGraphQLError(error)], logger, requestId);
    }
  }

  return {
    onConnect,
    async onSubscribe(context, id, payload) {
      const opening = start(context, id, payload);
      context.extra.opening.add(opening);
      try {
        return await opening;
      } finally {
        context.extra.opening.delete(opening);
      }
    },
    execute: (args) => (args as Args).contextValue.run(),
    subscribe: (args) => (args as Args).contextValue.run(),
  };
}

function toArgs(summary: Parameters<typeof slimDocument>[0], run: Args['contextValue']['run']): Args {
  return {
    // graphql-ws asks the document for the operation's kind and leaves the rest to `execute` and `subscribe`.
    schema: undefined as unknown as ExecutionArgs['schema'],
    document: slimDocument(summary),
    operationName: summary.operationName ?? undefined,
    contextValue: { run },
  };
}

function closeCodeOf(code: ErrorCode): number {
  if (code === 'UNAUTHENTICATED') return CloseCode.Unauthorized;
  if (code === 'INTERNAL_SERVER_ERROR' || code === 'SUBGRAPH_UNAVAILABLE')
    return CloseCode.InternalServerError;
  return CloseCode.Forbidden;
}
