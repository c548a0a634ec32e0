import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A TCP proxy whose connections can die silently: they stay open, and nothing passes any more. Frozen, it stands for a
 * process that stands still: the system accepts connections for it, and nobody answers.
 */
export class SilentProxy {
  private readonly open = new Set<Socket>();
  private frozen = false;

  private constructor(private readonly server: Server) {}

  /** @param target the port on this machine that it stands before */
  static async start(target: number): Promise<SilentProxy> {
    const server = createServer();
    const proxy = new SilentProxy(server);
    server.on('connection', near => {
      const far = connect(target, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        proxy.open.add(from);
        if (proxy.frozen) from.resume();
        else from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          proxy.open.delete(from);
          to.destroy();
        });
      }
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Nothing passes on today's connections any more. New ones work. @returns how many there are */
  swallow(): number {
    for (const socket of this.open) socket.unpipe().resume();
    return this.open.size / 2;
  }

  /** Nothing passes any more, on new connections either. */
  freeze(): void {
    this.frozen = true;
    this.swallow();
  }

  /** New connections work again. */
  thaw(): void {
    this.frozen = false;
  }

  async stop(): Promise<void> {
    this.server.close();
    for (const socket of this.open) socket.destroy();
    await once(this.server, 'close');
  }
}
