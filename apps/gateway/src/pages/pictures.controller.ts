import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Access } from '../sessions/access.js';

const NO_PICTURE =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 80" role="img" aria-label="no picture">' +
  '<rect width="80" height="80" fill="#e7e5e4"/><path d="M16 60l18-24 12 14 8-8 10 18z" fill="#a8a29e"/>' +
  '<circle cx="54" cy="26" r="6" fill="#a8a29e"/></svg>';

/** What products show that have no picture of their own. */
@ApiExcludeController()
@Access('anyone')
@Controller('pictures')
export class PicturesController {
  @Get('none.svg')
  @Header('content-type', 'image/svg+xml')
  @Header('cache-control', 'public, max-age=86400')
  none(): string {
    return NO_PICTURE;
  }
}
