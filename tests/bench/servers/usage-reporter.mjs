/** Loaded into every measured process with --import: tells what the process has used, when its parent asks. */
process.on('message', (message) => {
  if (message !== 'usage') return;
  const { user, system } = process.cpuUsage();
  process.send?.({
    cpuMicros: user + system,
    heapBytes: process.memoryUsage().heapUsed,
    rssBytes: process.memoryUsage.rss(),
  });
});
// The channel alone must not keep a process alive that has nothing else to do.
process.channel?.unref();
