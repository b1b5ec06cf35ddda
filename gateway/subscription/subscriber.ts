import { GraphQLError } from 'graphql';
import { EventMessage } from './event-message.ts';
import { MessageQueue, type QueueLimits } from './message-queue.ts';
import type { SharedStream, StreamMember } from './shared-stream.ts';
import type { Upstream } from './upstream.ts';

/** Where a client's messages go. */
export interface EventSink {
  /** Takes a payload; false: hold back what follows until `whenDrained` calls. */
  send(payload: string): boolean;
  /** Calls once the client can be sent more. */
  whenDrained(ready: () => void): void;
  /** There is nothing more. */
  end(): void;
}

export interface SubscriberOptions {
  readonly limits: QueueLimits;
  /** An upstream of its own waits for what is new: it may be shared, or given up for one that is. */
  readonly onLive: (upstream: Upstream) => void;
  /** Called once, however it ends. */
  readonly onEnd: () => void;
}

/**
 * One client's subscription. Its messages come from an upstream of its own, which is read at the client's pace, or from a
 * shared stream, which waits for nobody: then they queue here, within limits. Passing from the one to the other loses
 * nothing and repeats nothing, because both tell the place of every event.
 */
export class Subscriber implements StreamMember {
  readonly #options: SubscriberOptions;
  #own: Upstream | null = null;
  #shared: SharedStream | null = null;
  /** What the shared stream gives while the own upstream is not as far yet as the stream was when it was joined. */
  #ahead: { readonly from: number; readonly messages: MessageQueue } | null = null;
  readonly #queue: MessageQueue;
  #sink: EventSink | null = null;
  #isBlocked = false;
  #wake: (() => void) | null = null;
  /** Up to here it has everything, taken or queued; null where there are no places. */
  #seen: number | null = null;
  /** Up to here its client has everything. */
  #taken: number | null = null;
  /** What is sent last; set once it is clear that nothing else follows. */
  #ending: { readonly message: EventMessage | null } | null = null;
  #isClosed = false;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#queue = new MessageQueue(options.limits);
  }

  get isOpen(): boolean {
    return !this.#isClosed && this.#ending === null;
  }

  /** Where its client is: what a subscription that goes on for it begins after. */
  get taken(): number | null {
    return this.#taken;
  }

  /** Whether its client has not taken all that was made for it. */
  get isBehind(): boolean {
    return !this.#queue.isEmpty;
  }

  /** What it reads now: both while it passes from the one to the other. */
  get sources(): readonly (Upstream | SharedStream)[] {
    return [this.#own, this.#shared].filter((source) => source !== null);
  }

  /** From now on messages may leave. */
  attach(sink: EventSink): void {
    this.#sink = sink;
    this.#flush();
  }

  /** Reads an upstream of its own. */
  begin(upstream: Upstream): void {
    this.#own = upstream;
    void this.#read(upstream);
  }

  /** Goes over to a stream whose upstream is its own so far, and the stream's from now on. */
  giveUpstreamTo(stream: SharedStream): void {
    this.#own = null;
    this.#shared = stream;
    stream.add(this);
  }

  /** Goes over to a stream of equals, at once or as soon as its own upstream is as far as the stream is now. */
  join(stream: SharedStream): void {
    this.#shared = stream;
    stream.add(this);
    if (!this.#own) return;
    const { seq } = stream;
    if (seq === null || this.#seen === null || seq <= this.#seen) this.#leaveOwn();
    else this.#ahead = { from: seq, messages: new MessageQueue(this.#options.limits) };
  }

  /** The shared stream's next message. */
  offer(message: EventMessage, stream: SharedStream): void {
    if (!this.isOpen || this.#shared !== stream) return;
    const { seq } = message;
    const isKnown = seq !== null && this.#seen !== null && seq <= this.#seen;
    if (!this.#ahead) {
      if (!isKnown) this.#take(message);
    } else if (isKnown) {
      // The stream is not further than its own upstream: what the stream gives from now on is enough.
      this.#goOver();
    } else if (seq === null || !this.#ahead.messages.push(message)) {
      this.#leaveShared();
    }
  }

  streamMoved(stream: SharedStream): void {
    if (this.#shared !== stream || this.#own || !this.isOpen) return;
    this.#move(stream.seq);
  }

  /** The shared stream has ended. */
  streamEnded(): void {
    if (this.#own) this.#leaveShared();
    else this.#end(null);
  }

  /** Lets go of what it reads and, where there are places, of what its client has not taken: that is read again. */
  detach(): void {
    this.#leaveOwn();
    this.#leaveShared();
    if (this.#taken !== null) this.#queue.clear();
    this.#seen = this.#taken;
  }

  /** Makes this the last that its client gets. */
  endWith(errors: readonly GraphQLError[]): void {
    if (!this.isOpen) return;
    this.#queue.clear();
    this.#end(new EventMessage({ errors }, null));
  }

  /** The client wants nothing more. */
  close(): void {
    if (this.#isClosed) return;
    const wasOpen = this.isOpen;
    this.#isClosed = true;
    this.#queue.clear();
    this.#leaveOwn();
    this.#leaveShared();
    if (wasOpen) this.#options.onEnd();
  }

  async #read(upstream: Upstream): Promise<void> {
    for (;;) {
      // One at a time: what its client does not read, the upstream keeps.
      if (!this.#queue.isEmpty) await new Promise<void>((resolve) => (this.#wake = resolve));
      if (this.#own !== upstream) return;
      const message = await upstream.next();
      if (this.#own !== upstream) return;
      if (message === undefined) return this.#end(null);
      // The upstream tells where it begins before it tells of anything else.
      if (message) this.#take(message);
      else this.#move(upstream.seq);
      const ahead = this.#ahead;
      if (ahead && upstream.seq !== null && upstream.seq >= ahead.from) this.#goOver();
      else if (upstream.isLive && !this.#shared && this.isOpen) this.#options.onLive(upstream);
    }
  }

  /** Leaves its own upstream for the stream that it has joined, with what that gave meanwhile. */
  #goOver(): void {
    const ahead = this.#ahead;
    const stream = this.#shared;
    this.#ahead = null;
    this.#leaveOwn();
    ahead?.messages.drain((message) => {
      if (stream) this.offer(message, stream);
      return true;
    });
  }

  /** There is nothing for it up to here. */
  #move(seq: number | null): void {
    if (seq === null || (this.#seen !== null && seq < this.#seen)) return;
    this.#seen = seq;
    if (this.#queue.isEmpty) this.#taken = seq;
  }

  #take(message: EventMessage): void {
    if (message.seq !== null) this.#seen = message.seq;
    if (this.#queue.isEmpty && this.#sink && !this.#isBlocked) this.#send(this.#sink, message);
    else if (!this.#queue.push(message)) this.#endTooSlow();
  }

  #endTooSlow(): void {
    const text = 'This subscriber cannot keep up; subscribe again with `after: extensions.cursor`';
    this.endWith([new GraphQLError(text, { extensions: { code: 'SUBSCRIBER_TOO_SLOW' } })]);
  }

  #send(sink: EventSink, message: EventMessage): void {
    const isReady = sink.send(message.payloadFor(this.#taken));
    if (message.seq !== null) this.#taken = message.seq;
    if (isReady) return;
    this.#isBlocked = true;
    sink.whenDrained(() => {
      this.#isBlocked = false;
      this.#flush();
    });
  }

  #flush(): void {
    const sink = this.#sink;
    if (!sink || this.#isClosed || this.#isBlocked) return;
    this.#queue.drain((message) => {
      this.#send(sink, message);
      return !this.#isBlocked;
    });
    if (!this.#queue.isEmpty || this.#isBlocked) return;
    if (this.#ending) {
      this.#isClosed = true;
      const { message } = this.#ending;
      if (message) sink.send(message.payloadFor(this.#taken));
      sink.end();
    } else {
      this.#wakeReader();
    }
  }

  #end(message: EventMessage | null): void {
    if (!this.isOpen) return;
    this.#ending = { message };
    this.#leaveOwn();
    this.#leaveShared();
    this.#options.onEnd();
    this.#flush();
  }

  #leaveOwn(): void {
    const own = this.#own;
    this.#own = null;
    own?.close();
    this.#wakeReader();
  }

  #leaveShared(): void {
    const shared = this.#shared;
    this.#ahead?.messages.clear();
    this.#ahead = null;
    this.#shared = null;
    shared?.delete(this);
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
