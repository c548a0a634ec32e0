import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { unique } from './builders.js';
import { Buyer } from './buyer.js';
import { type ClientOptions, ShopHttp } from './http.js';
import { Operator } from './operator.js';

const Running = z.object({ url: z.url() });

/** A shop as its clients see it: over HTTP, and nothing else. */
export class ShopClient extends ShopHttp {
  readonly operator = new Operator(this);

  /** A shopper who has signed in; somebody new, if no one is named. */
  async buyer(userId: string = unique('buyer')): Promise<Buyer> {
    return Buyer.signIn(this, userId);
  }

  /**
   * The shop that runs on the data directory, or at `SLUICE_URL`.
   * @throws when none runs, with what to do
   */
  static async find(env: NodeJS.ProcessEnv = process.env, options?: ClientOptions): Promise<ShopClient> {
    const dataDir = resolve(env['SLUICE_DATA_DIR'] ?? '.sluice');
    const read = async (file: string) => JSON.parse(await readFile(join(dataDir, file), 'utf8')) as unknown;
    try {
      const url = env['SLUICE_URL'] ?? Running.parse(await read('running.json')).url;
      const password =
        env['SLUICE_OPERATOR_PASSWORD'] ??
        z.object({ operatorPassword: z.string() }).parse(await read('secrets.json')).operatorPassword;
      const shop = new ShopClient(url, password, options);
      await shop.get('/health/live');
      return shop;
    } catch {
      const { SLUICE_URL } = env;
      throw new Error(
        SLUICE_URL === undefined
          ? `no shop runs on ${dataDir}; start one with npm start, or set SLUICE_URL and SLUICE_OPERATOR_PASSWORD`
          : `no shop answers at SLUICE_URL ${SLUICE_URL}`,
      );
    }
  }
}
