import { BadRequestException, Body, Controller, Get, Param, Put } from '@nestjs/common';
import { Fault, Faults, Part } from './faults.js';

@Controller('faults')
export class FaultsController {
  constructor(private readonly faults: Faults) {}

  @Get()
  all(): Record<string, Fault> {
    return Object.fromEntries(Part.options.map(part => [part, this.faults.of(part)]));
  }

  /** `PUT /faults/sms {"failRate":1}`: the SMS gateway is down. `{}` repairs it. */
  @Put(':part')
  async set(@Param('part') part: string, @Body() body: unknown): Promise<Fault> {
    const [which, fault] = [Part.safeParse(part), Fault.safeParse(body ?? {})];
    if (!which.success) throw new BadRequestException(`a part is one of ${Part.options.join(', ')}`);
    if (!fault.success)
      throw new BadRequestException(
        fault.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`),
      );
    await this.faults.set(which.data, fault.data);
    return fault.data;
  }
}
