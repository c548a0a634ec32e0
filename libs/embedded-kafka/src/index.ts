export { KafkaCluster, type KafkaClusterOptions } from './cluster.js';
export { KafkaJava, KafkaStartError } from './java.js';
