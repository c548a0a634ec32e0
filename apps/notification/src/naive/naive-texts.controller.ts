import { Controller } from '@nestjs/common';
import { getNaiveBooks, type NaiveBooks, NaiveSendText } from '#contracts';
import type { ReplyOf, RequestOf } from '#messaging';
import { HandleRequest } from '#requests';
import { NaiveTexts } from './naive-texts.js';

@Controller()
export class NaiveTextsController {
  constructor(private readonly texts: NaiveTexts) {}

  @HandleRequest(NaiveSendText)
  async send(bought: RequestOf<typeof NaiveSendText>): Promise<ReplyOf<typeof NaiveSendText>> {
    await this.texts.send(bought);
    return {};
  }

  @HandleRequest(getNaiveBooks('notification'))
  books(): Promise<NaiveBooks> {
    return this.texts.books();
  }
}
