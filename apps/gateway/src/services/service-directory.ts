import { Inject, Injectable } from '@nestjs/common';
import { ANNOUNCED_EVERY_MS, type ServiceAnnounced } from '#contracts';
import { BoundedMap } from '#messaging';
import { SERVICE_CONFIG } from '#service-kit';
import type { GatewayConfig } from '../gateway.config.js';

/** An instance that has not announced itself for this long is no longer asked, in ms. */
const FORGOTTEN_AFTER_MS = 3 * ANNOUNCED_EVERY_MS;
/** Maximum number of instances to remember. Beyond it, the one that was silent for longest is forgotten. */
const MAX_INSTANCES = 1_000;

interface Heard extends ServiceAnnounced {
  /** By `performance.now()`. */
  readonly at: number;
}

/** What is known about one service. */
export interface KnownService {
  readonly service: string;
  readonly addresses: readonly string[];
  /** Those that it has announced; empty until it has announced itself. */
  readonly subscriptions: readonly string[];
  readonly hasFacts: boolean | null;
}

/**
 * The services of the shop and where they answer: those that the configuration names, and those that announce
 * themselves. A service stays known when all its instances are silent, so that it is reported as missing.
 */
@Injectable()
export class ServiceDirectory {
  private readonly heard = new BoundedMap<string, Heard>(MAX_INSTANCES);
  private readonly names: Set<string>;

  constructor(@Inject(SERVICE_CONFIG) private readonly config: GatewayConfig) {
    this.names = new Set(Object.keys(config.SLUICE_INSTANCES));
  }

  learn(announced: ServiceAnnounced, now: number = performance.now()): void {
    this.names.add(announced.service);
    const instance = `${announced.service} ${announced.instance}`;
    this.heard.set(instance, { ...announced, at: now });
  }

  /** The name of every service that answers requests, in alphabetical order. */
  get services(): string[] {
    return [...this.names].sort();
  }

  /** `host:port` of a service's instances: the configured ones, else those announced recently. */
  addressesOf(service: string, now: number = performance.now()): readonly string[] {
    const configured = this.config.SLUICE_INSTANCES[service];
    if (configured !== undefined) return configured;
    return this.instancesOf(service)
      .filter(({ at }) => now - at < FORGOTTEN_AFTER_MS)
      .map(({ address }) => address);
  }

  describe(service: string): KnownService {
    const instances = this.instancesOf(service);
    return {
      service,
      addresses: this.addressesOf(service),
      subscriptions: [...new Set(instances.flatMap(({ subscriptions }) => subscriptions))],
      hasFacts: instances.length === 0 ? null : instances.some(({ hasFacts }) => hasFacts),
    };
  }

  private instancesOf(service: string): Heard[] {
    return [...this.heard.values()].filter(each => each.service === service);
  }
}
