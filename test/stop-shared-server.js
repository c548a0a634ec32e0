export default async function stopSharedServer() {
  await globalThis.sluiceTestCluster?.stop();
}
