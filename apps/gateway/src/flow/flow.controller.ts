import { Controller, Delete, Get, HttpCode, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  AdaptiveRate,
  BucketCapacity,
  BucketName,
  type BucketView,
  ListBuckets,
  RemoveBucket,
  SetBucket,
  TokenRate,
} from '#contracts';
import { Admission, admitTemplates, DomainError } from '#messaging';
import { RequestClient } from '#requests';
import { Problems } from '../problems/document-problems.js';
import { ZodBody, ZodParam } from '../problems/zod-body.js';
import { Access } from '../sessions/access.js';

const Limit = z
  .strictObject({
    ratePerSecond: TokenRate.optional(),
    adaptive: AdaptiveRate.optional(),
    capacity: BucketCapacity,
  })
  .refine(
    ({ ratePerSecond, adaptive }) => (ratePerSecond === undefined) !== (adaptive === undefined),
    'send either ratePerSecond or adaptive',
  );

export class BucketNotFound extends DomainError {
  readonly code = 'bucket_not_found';
  constructor(
    readonly bucket: string,
    reason: string,
  ) {
    super(`${reason} ${bucket}; GET /api/admin/flow lists the buckets, and the routes that can have one`);
  }
}

/** Limits on how many calls a second get through, changed while the shop runs. */
@ApiTags('admin')
@Controller('api/admin/flow')
@Access('operator')
export class FlowController {
  constructor(
    private readonly requests: RequestClient,
    private readonly admission: Admission,
  ) {}

  /** Every token bucket, as it is now, and what can have one. */
  @Get()
  async list(): Promise<{ buckets: BucketView[]; routes: readonly string[] }> {
    const { buckets } = await this.requests.ask(ListBuckets, {}, { repeatable: true });
    return { buckets, routes: admitTemplates() };
  }

  /** Limits calls to a rate, or to one that follows what is completed, with bursts of up to the capacity. */
  @Put(':name')
  @Problems('bucket_not_found', 'campaign_not_found')
  async set(
    @ZodParam('name', BucketName) name: string,
    @ZodBody(Limit) { ratePerSecond, adaptive, capacity }: z.output<typeof Limit>,
  ): Promise<BucketView> {
    if (!name.startsWith('campaign:') && !admitTemplates().includes(name))
      throw new BucketNotFound(name, 'no route takes tokens of');
    const spec = {
      // An adaptive rate begins at its lower bound, and rises while the backend keeps up.
      ratePerSecond: ratePerSecond ?? adaptive!.min,
      capacity,
      adaptive: adaptive ?? null,
    };
    const bucket = await this.requests.ask(SetBucket, { name, ...spec }, { repeatable: true });
    this.admission.learn({ name, version: bucket.version, removed: false });
    return bucket;
  }

  /** Removes the limit. */
  @Delete(':name')
  @Problems('bucket_not_found')
  @HttpCode(204)
  async remove(@ZodParam('name', BucketName) name: string): Promise<void> {
    const { version } = await this.requests.ask(RemoveBucket, { name }, { repeatable: true });
    if (version === null) throw new BucketNotFound(name, 'there is no bucket');
    this.admission.learn({ name, version, removed: true });
  }
}
