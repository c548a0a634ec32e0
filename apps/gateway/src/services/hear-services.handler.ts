import { Controller } from '@nestjs/common';
import { ServiceAnnounced } from '#contracts';
import { Handle } from '#messaging';
import { ServiceDirectory } from './service-directory.js';

/** Every gateway hears who is there. */
@Controller()
export class HearServicesHandler {
  constructor(private readonly directory: ServiceDirectory) {}

  @Handle(ServiceAnnounced, { name: 'gateway.hear-services', broadcast: true })
  announced(event: ServiceAnnounced): void {
    this.directory.learn(event);
  }
}
