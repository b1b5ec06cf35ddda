/** Loaded into every measured process with --import: tells what the process has used, when its parent asks. */
process.on('message', async (message) => {
  if (message !== 'usage' && message !== 'usage without garbage') return;
  // Turns in between let finished steps go, and finalizers free what they hold.
  for (let pass = 0; pass < 3 && message !== 'usage'; pass++) {
    await new Promise(setImmediate);
    globalThis.gc?.();
  }
  const { user, system } = process.cpuUsage();
  process.send?.({
    cpuMicros: user + system,
    heapBytes: process.memoryUsage().heapUsed,
    rssBytes: process.memoryUsage.rss(),
  });
});
// The channel alone must not keep a process alive that has nothing else to do.
process.channel?.unref();
