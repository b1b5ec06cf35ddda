/** Loaded into a gateway's process with --import: counts how often an operation runs, and how many were compiled to run. */
import { CompiledOperation } from '#gateway/execution/compiled/run/compiled-operation.ts';

const seen = new WeakSet<CompiledOperation>();
let runs = 0;
let compiled = 0;

const { execute } = CompiledOperation.prototype;
CompiledOperation.prototype.execute = function count(this: CompiledOperation, request) {
  runs++;
  if (!seen.has(this)) {
    seen.add(this);
    compiled++;
  }
  return execute.call(this, request);
};

process.on('message', (message) => {
  if (message !== 'operations') return;
  process.send?.({ runs, compiled });
  runs = compiled = 0;
});
process.channel?.unref();
