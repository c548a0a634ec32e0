/** How to log in to the brokers. */
export interface SaslOptions {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

/** PEM texts. Without `ca` the brokers' certificates must be signed by an authority that Node trusts. */
export interface TlsOptions {
  readonly ca?: string | undefined;
  /** For brokers that require a client certificate. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface KafkaTransportOptions {
  /** Some of the brokers, `host:port`; the others are found through them. */
  readonly brokers: readonly string[];
  /**
   * A name that no other running instance has. A restart under the same name need not wait for its old
   * session.
   */
  readonly instance: string;
  /** The prefix of topic and group names. */
  readonly prefix?: string | undefined;
  /** Partitions of a topic that it creates, whatever the service asks for. */
  readonly partitions?: number | undefined;
  /** Copies of every message; 1 if left out. */
  readonly replication?: number | undefined;
  readonly tls?: TlsOptions | undefined;
  readonly sasl?: SaslOptions | undefined;
  /** How long a silent instance keeps its partitions, in ms; the brokers limit the range. */
  readonly sessionMs?: number | undefined;
}
