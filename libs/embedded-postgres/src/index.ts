export {
  LOCALE_FLAGS,
  PostgresCluster,
  PostgresStartError,
  SETTINGS,
  type ClusterOptions,
} from './cluster.js';
