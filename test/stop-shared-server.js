export default async function stopSharedServer() {
  await Promise.all((globalThis.sluiceTestServers ?? []).map(server => server.stop()));
}
