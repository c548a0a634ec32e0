import { Controller } from '@nestjs/common';
import { ServiceAnnounced } from '#contracts';
import { Handle } from '#messaging';
import { ServiceDirectory } from './service-directory.js';

/** Every gateway instance learns which services are running. */
@Controller()
export class HearServicesHandler {
  constructor(private readonly directory: ServiceDirectory) {}

  @Handle(ServiceAnnounced, { name: 'gateway.hear-services', broadcast: true })
  announced(event: ServiceAnnounced): void {
    this.directory.learn(event);
  }
}
