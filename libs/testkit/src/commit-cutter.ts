import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Whether the server has committed when the connection is cut. */
export type Cut = 'committed' | 'not committed';

const COMMIT = Buffer.from('COMMIT\0');

/** A TCP proxy before PostgreSQL that cuts a connection at its COMMIT: the client does not learn what became of it. */
export class CommitCutter {
  private readonly open = new Set<Socket>();
  private next: Cut | undefined;

  private constructor(private readonly server: Server) {}

  /** @param url of the database that it stands before */
  static async before(url: string): Promise<{ cutter: CommitCutter; url: string }> {
    const target = new URL(url);
    const server = createServer();
    const cutter = new CommitCutter(server);
    const port = Number(target.port);
    server.on('connection', near => cutter.join(near, connect(port, '127.0.0.1')));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    target.port = String((server.address() as AddressInfo).port);
    return { cutter, url: target.href };
  }

  /** Cuts the connection on which the next COMMIT comes, once. */
  cutNext(cut: Cut): void {
    this.next = cut;
  }

  /** Whether there is no cut still to come. */
  get isDone(): boolean {
    return this.next === undefined;
  }

  async stop(): Promise<void> {
    this.server.close();
    for (const socket of this.open) socket.destroy();
    await once(this.server, 'close');
  }

  private join(near: Socket, far: Socket): void {
    const end = () => [near, far].forEach(socket => socket.destroy());
    for (const socket of [near, far]) {
      this.open.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        this.open.delete(socket);
        end();
      });
    }
    let answer: (chunk: Buffer) => unknown = chunk => near.write(chunk);
    far.on('data', chunk => answer(chunk));
    near.on('data', chunk => {
      const cut = chunk.includes(COMMIT) ? this.next : undefined;
      if (cut !== undefined) this.next = undefined;
      if (cut === 'not committed') return end();
      // The server answers a COMMIT when it is done.
      if (cut === 'committed') answer = end;
      far.write(chunk);
    });
  }
}
