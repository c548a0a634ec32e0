import type { Transport } from '#messaging';
import type { TransportConfig } from './transport-config.js';

/** The configured transport. The code of the other one is not even loaded. Nothing is connected yet. */
export async function openTransport(
  config: TransportConfig & { readonly SLUICE_INSTANCE: string },
): Promise<Transport> {
  const instance = config.SLUICE_INSTANCE;
  if (config.SLUICE_TRANSPORT === 'postgres') {
    const { PostgresTransport } = await import('#transport-postgres');
    return new PostgresTransport({ url: config.SLUICE_TRANSPORT_URL!, instance });
  }
  const { KafkaTransport } = await import('#transport-kafka');
  const { SLUICE_KAFKA_TLS: tls, SLUICE_KAFKA_SASL_MECHANISM: mechanism } = config;
  return new KafkaTransport({
    brokers: config.SLUICE_KAFKA_BROKERS!,
    instance,
    prefix: config.SLUICE_KAFKA_PREFIX,
    partitions: config.SLUICE_KAFKA_PARTITIONS,
    replication: config.SLUICE_KAFKA_REPLICATION,
    tls:
      tls === 'on'
        ? { ca: config.SLUICE_KAFKA_CA, cert: config.SLUICE_KAFKA_CERT, key: config.SLUICE_KAFKA_KEY }
        : undefined,
    sasl: mechanism && {
      mechanism,
      username: config.SLUICE_KAFKA_USERNAME!,
      password: config.SLUICE_KAFKA_PASSWORD!,
    },
  });
}
