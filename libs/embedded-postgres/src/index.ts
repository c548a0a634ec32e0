export { PostgresCluster, PostgresStartError, type ClusterOptions } from './cluster.js';
