import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { ClientTCP } from '@nestjs/microservices';
import { NO_MESSAGE_HANDLER } from '@nestjs/microservices/constants.js';
import { NetSocketClosedException } from '@nestjs/microservices/errors/net-socket-closed.exception.js';
import { firstValueFrom, timeout, TimeoutError } from 'rxjs';
import {
  currentTraceparent,
  DependencyUnavailable,
  describeIssues,
  DomainError,
  isInfrastructureError,
  proveJson,
  rankByRendezvous,
  type Refusal,
  type ReplyOf,
  type RequestDefinition,
  type RequestOf,
} from '#messaging';
import { OUTLIER_LIMITS, OutlierDetection, type OutlierLimits } from './outlier-detection.js';
import type { RequestPacket } from './request-pipe.js';

export interface AskOptions {
  /** Requests with the same routing key go to the same instance while it answers. */
  readonly routingKey?: string;
  /** How many instances of the ranking to skip, because they were already asked and did not answer. */
  readonly skip?: number;
  /** `host:port` of the one instance to ask. */
  readonly address?: string;
  /** When to give up, in ms from now. */
  readonly deadlineMs?: number;
  /** Whether the request is idempotent. Then a lost connection is not a failure: it asks again. */
  readonly repeatable?: boolean;
}

/** The service said no. */
export class RequestRefused extends DomainError {
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.code = refusal.code;
    this.facts = refusal.facts;
  }
}

/** Nobody answered in time. Whether the request had an effect is not known, unless it is repeatable. */
export class ServiceUnavailable extends DomainError {
  readonly code = 'unavailable';
  constructor(
    readonly service: string,
    reason: string,
  ) {
    // To a handler that asks it, the other service is a dependency that is away.
    const cause = new DependencyUnavailable(service, reason);
    super(`${service} does not answer (${reason}); try again in a moment`, { cause });
  }
}

const DEADLINE_MS = 5_000;
const RETRY_PAUSE_MS = 50;
/** How long a connection that was given up stays open for the requests on it, in ms. */
const LINGER_MS = 60_000;
/** No service handles it. That it says so proves that it runs. */
const PROBE = 'sluice.probe.v1';
/** How long an ejected instance may take to answer a probe, in ms. */
const PROBE_MS = 1_000;

/** The service does not know the request: it lacks that feature, or runs another version. */
export class RequestNotHandled extends DomainError {
  readonly code = 'not_handled';
  constructor(
    readonly service: string,
    readonly request: string,
  ) {
    super(`${service} does not answer ${request}`);
  }
}

/** The service answered, but not as its contract says: a defect, which no repeat can help. */
export class InvalidReply extends Error {
  constructor(
    readonly service: string,
    readonly request: string,
    issues: string,
  ) {
    super(`${service} answered ${request} with what its contract does not allow: ${issues}`);
  }
}

/** Ends the requests of a lost connection with an error that is an outage by its class. */
class ServiceConnection extends ClientTCP {
  override handleClose(): void {
    const waiting = [...this.routingMap.values()] as ((packet: object) => void)[];
    this.routingMap.clear();
    const err = new DependencyUnavailable('the service', 'the connection was lost');
    for (const answer of waiting) answer({ err, response: undefined, isDisposed: true });
    super.handleClose();
  }
}

interface Connection {
  readonly client: ClientTCP;
  /** When the last reply came. */
  heardAt: number;
}

/**
 * Asks services over TCP and gets their answers. An instance that does not answer is ejected: until it answers a probe,
 * requests go to the next instance of their ranking at once.
 */
export class RequestClient implements OnApplicationShutdown {
  private readonly logger = new Logger(RequestClient.name);
  private readonly connections = new Map<string, Connection>();
  private readonly outliers: OutlierDetection;
  private readonly probes = new Map<string, NodeJS.Timeout>();
  private closed = false;

  /** @param instancesOf `host:port` of every instance of a service, as they are now */
  constructor(
    private readonly instancesOf: (service: string) => readonly string[],
    private readonly limits: OutlierLimits = OUTLIER_LIMITS,
  ) {
    this.outliers = new OutlierDetection(limits);
  }

  /**
   * Asks, and returns the reply.
   * @throws RequestRefused with the service's own code, RequestNotHandled, ServiceUnavailable, InvalidReply,
   *   NotJson when the data would not arrive as it is
   */
  async ask<D extends RequestDefinition>(
    definition: D,
    data: RequestOf<D>,
    options: AskOptions = {},
  ): Promise<ReplyOf<D>> {
    const { service } = definition;
    const candidates = options.address === undefined ? this.instancesOf(service) : [options.address];
    if (candidates.length === 0) throw new ServiceUnavailable(service, 'no instance of it is known');
    const { routingKey = String(Math.random()), skip = 0 } = options;
    const byWeight = rankByRendezvous(routingKey, candidates);
    const first = skip % byWeight.length;
    // Skip first: an instance that was ejected since it was asked must not make its successor be skipped.
    const ranked = this.outliers.rank([...byWeight.slice(first), ...byWeight.slice(0, first)]);
    const deadline = performance.now() + (options.deadlineMs ?? DEADLINE_MS);
    proveJson(definition.schema, data);
    const packet: RequestPacket = { data, traceparent: currentTraceparent() };

    for (let attempt = 0; ; attempt += 1) {
      const sentAt = performance.now();
      const address = ranked[attempt % ranked.length]!;
      const connection = this.connectionTo(address);
      try {
        const answer = connection.client.send<ReplyOf<D>>(definition.type, packet);
        const reply = await firstValueFrom(answer.pipe(timeout(Math.max(deadline - sentAt, 1))));
        connection.heardAt = performance.now();
        this.answered(service, address);
        return this.parse(definition, reply);
      } catch (error) {
        if (!(error instanceof TimeoutError)) connection.heardAt = performance.now();
        else if (connection.heardAt < sentAt) this.giveUp(address, connection);
        if (error === NO_MESSAGE_HANDLER || isRefusal(error)) this.answered(service, address);
        else if (this.isSilent(error, connection, sentAt)) this.failed(service, address);
        if (error === NO_MESSAGE_HANDLER) throw new RequestNotHandled(service, definition.type);
        if (isRefusal(error) && !(error.code === 'unavailable' && options.repeatable))
          throw refusalOf(service, error);
        if (error instanceof TimeoutError)
          throw new ServiceUnavailable(service, 'no answer before the deadline');
        // Neither a refusal nor an outage: a defect, such as a value that cannot be sent. No repeat helps.
        if (!isRefusal(error) && !isOutage(error)) throw error;
        const nothingSent = (error as { code?: string }).code === 'ECONNREFUSED';
        if ((!nothingSent && !options.repeatable) || deadline - performance.now() < RETRY_PAUSE_MS) {
          throw new ServiceUnavailable(service, error instanceof Error ? error.message : String(error));
        }
        // Try every other instance first; pause only after all of them.
        if ((attempt + 1) % ranked.length === 0)
          await new Promise(resolve => setTimeout(resolve, RETRY_PAUSE_MS));
      }
    }
  }

  onApplicationShutdown(): void {
    this.close();
  }

  close(): void {
    this.closed = true;
    for (const probe of this.probes.values()) clearTimeout(probe);
    this.probes.clear();
    for (const { client } of this.connections.values()) client.close();
    this.connections.clear();
  }

  /** Whether the error says that the instance does not answer, and not only that this request took long. */
  private isSilent(error: unknown, connection: Connection, sentAt: number): boolean {
    if (error instanceof TimeoutError)
      return connection.heardAt < sentAt && performance.now() - sentAt >= this.limits.silentMs;
    return isOutage(error);
  }

  private answered(service: string, address: string): void {
    if (!this.outliers.answered(address)) return;
    clearTimeout(this.probes.get(address));
    this.probes.delete(address);
    this.logger.log(`${service} at ${address} answers again`);
  }

  private failed(service: string, address: string): void {
    const pause = this.outliers.failed(address, this.instancesOf(service));
    if (pause === undefined) return;
    this.logger.warn(`${service} at ${address} does not answer; its requests go to the other instances`);
    this.probeLater(service, address, pause);
  }

  private probeLater(service: string, address: string, pauseMs: number): void {
    if (this.closed) return;
    this.probes.set(address, setTimeout(() => void this.probe(service, address), pauseMs).unref());
  }

  /** Asks an ejected instance for a sign of life, so that no request has to wait for one. */
  private async probe(service: string, address: string): Promise<void> {
    this.probes.delete(address);
    if (!this.instancesOf(service).includes(address)) {
      // The instance is gone. If one comes back at this address, it starts without a history.
      this.outliers.answered(address);
      return;
    }
    const [host, port] = address.split(':');
    const client = new ServiceConnection({ host, port: Number(port) });
    try {
      await firstValueFrom(client.send(PROBE, {}).pipe(timeout(PROBE_MS)));
      this.answered(service, address);
    } catch (error) {
      if (error === NO_MESSAGE_HANDLER) this.answered(service, address);
      else if (this.outliers.isEjected(address))
        this.probeLater(service, address, this.outliers.probeFailed(address));
    } finally {
      client.close();
    }
  }

  private parse<D extends RequestDefinition>(definition: D, reply: unknown): ReplyOf<D> {
    const parsed = definition.reply.safeParse(reply);
    if (parsed.success) return parsed.data as ReplyOf<D>;
    throw new InvalidReply(definition.service, definition.type, describeIssues(parsed.error.issues));
  }

  private connectionTo(address: string): Connection {
    let connection = this.connections.get(address);
    if (connection === undefined) {
      const [host, port] = address.split(':');
      const client = new ServiceConnection({ host, port: Number(port) });
      this.connections.set(address, (connection = { client, heardAt: -Infinity }));
    }
    return connection;
  }

  /**
   * Nothing has come since the request was sent: the connection may have silently died, and the next request opens
   * another. Requests that still wait on it wait until their own deadlines.
   */
  private giveUp(address: string, connection: Connection): void {
    if (this.connections.get(address) !== connection) return;
    this.connections.delete(address);
    setTimeout(() => connection.client.close(), LINGER_MS).unref();
  }
}

/** A closed socket is one too: Nest's error for it has no code. */
function isOutage(error: unknown): boolean {
  return isInfrastructureError(error) || error instanceof NetSocketClosedException;
}

function refusalOf(service: string, refusal: Refusal): DomainError {
  return refusal.code === 'unavailable'
    ? new ServiceUnavailable(service, refusal.message)
    : new RequestRefused(refusal);
}

function isRefusal(error: unknown): error is Refusal {
  return (
    typeof error === 'object' &&
    error !== null &&
    !(error instanceof Error) &&
    'code' in error &&
    'facts' in error
  );
}
