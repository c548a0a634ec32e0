/** Where every process of the shop listens. */
export const HOST = '127.0.0.1';

export interface Secrets {
  readonly database: string;
  readonly session: string;
  readonly payment: string;
  /** The shop's keys to the payment provider and to the SMS gateway. */
  readonly paymentKey: string;
  readonly smsKey: string;
  /** `whsec_` and base64, as Standard Webhooks specifies. */
  readonly merchant: string;
  /** The same for alerts. */
  readonly alert: string;
  readonly operatorPassword: string;
}

export interface Settings {
  readonly dataDir: string;
  readonly secrets: Secrets;
  /**
   * `gateway`, `sandbox`, `postgres`, those of brokers that run here, and `<service>-<n>` for each instance
   * that answers requests.
   */
  readonly ports: Readonly<Record<string, number>>;
  readonly urls: { readonly gateway: string; readonly sandbox: string };
  /** How many instances of each service. */
  readonly scale: ReadonlyMap<string, number>;
  /** Whether there is what only an experiment needs. */
  readonly lab: boolean;
}
