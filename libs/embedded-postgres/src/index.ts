export { LOCALE_FLAGS, PostgresCluster, SETTINGS, type ClusterOptions } from './cluster.js';
export { PostgresStartError } from './errors.js';
