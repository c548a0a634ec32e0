import { Controller } from '@nestjs/common';
import { BucketChanged } from '#contracts';
import { Admission, Handle } from '#messaging';

/** Every gateway instance learns which limits there are. */
@Controller()
export class HearBucketsHandler {
  constructor(private readonly admission: Admission) {}

  @Handle(BucketChanged, { name: 'gateway.hear-buckets', broadcast: true })
  changed(event: BucketChanged): void {
    this.admission.learn(event);
  }
}
