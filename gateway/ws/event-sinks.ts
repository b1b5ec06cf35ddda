import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { EventSink } from '#gateway/subscription/subscriber.ts';

/** The ways of a socket's subscriptions to their client, by the operation's id. */
export type EventSinks = (id: string, onEnd: () => void) => EventSink;

/**
 * Events go past the protocol's server straight to the socket: their payload is made once for all who get it, and each
 * client's message is that with its own id in front. While the network does not take more, nothing is handed to it.
 */
export function createEventSinks(socket: WebSocket, stream: Duplex): EventSinks {
  const waiting = new Set<() => void>();
  stream.on('drain', () => {
    for (const ready of waiting) {
      if (stream.writableNeedDrain) return;
      waiting.delete(ready);
      ready();
    }
  });

  return (id, onEnd) => {
    const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
    return {
      send(payload) {
        if (socket.readyState !== socket.OPEN) return true;
        socket.send(`${head}${payload}}`);
        return !stream.writableNeedDrain;
      },
      whenDrained: (ready) => void waiting.add(ready),
      end: onEnd,
    };
  };
}
