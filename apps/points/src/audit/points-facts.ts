import { Controller } from '@nestjs/common';
import { getFacts } from '#contracts';
import { HandleRequest } from '#requests';
import { idSet } from '#service-kit';
import { PointsDatabase } from '../points.database.js';

@Controller()
export class PointsFacts {
  constructor(private readonly database: PointsDatabase) {}

  @HandleRequest(getFacts('points'))
  async facts() {
    const sets = {
      awarded: await idSet(this.database, "SELECT cause_id AS id FROM points_entry WHERE kind = 'award'"),
      reversed: await idSet(this.database, "SELECT cause_id AS id FROM points_entry WHERE kind = 'reversal'"),
    };
    return { sets, figures: {} };
  }
}
