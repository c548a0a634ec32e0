import { z } from 'zod';

/** ISO 4217: the codes of money in use, by how many digits their minor unit has. */
const CODES: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2:
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY ' +
    'COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS ' +
    'INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR ' +
    'MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP ' +
    'STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ' +
    // Codes that catalogs still use, although they were replaced: Bulgaria, Croatia, Curaçao.
    'BGN HRK ANG',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

/** The currencies by how many digits their minor unit has. */
export const CURRENCIES: readonly { readonly digits: number; readonly codes: readonly string[] }[] =
  Object.entries(CODES).map(([digits, codes]) => ({ digits: Number(digits), codes: codes.split(' ') }));

const EXPONENTS = new Map(
  CURRENCIES.flatMap(({ digits, codes }) => codes.map(code => [code, digits] as const)),
);

/** An ISO 4217 code. */
export const Currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'a currency is three capital letters, such as GBP')
  .refine(code => EXPONENTS.has(code), 'is not a currency of ISO 4217');

/** How many digits the currency's minor unit has: 2 for pence, 0 for yen. */
export function exponentOf(currency: string): number {
  const exponent = EXPONENTS.get(currency);
  if (exponent === undefined) throw new RangeError(`${currency} is not a currency of ISO 4217`);
  return exponent;
}

/** Such as `12.50 GBP`, `3000 JPY` or `1.500 BHD`. */
export function formatMoney(minor: number, currency: string): string {
  const exponent = exponentOf(currency);
  const digits = String(Math.abs(minor)).padStart(exponent + 1, '0');
  const amount = exponent === 0 ? digits : `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
  return `${minor < 0 ? '-' : ''}${amount} ${currency}`;
}

/**
 * Reads an amount such as `12.5` in the currency's minor unit, exactly; what is finer is rounded half up.
 * @returns undefined if it is not a decimal number
 */
export function toMinor(amount: string, currency: string): number | undefined {
  const match = /^(-?)(\d{1,12})(?:\.(\d{1,12}))?$/.exec(amount);
  if (match === null) return undefined;
  const exponent = exponentOf(currency);
  const part = (match[3] ?? '').padEnd(exponent + 1, '0');
  const minor = Number(match[2]! + part.slice(0, exponent)) + (Number(part[exponent]) >= 5 ? 1 : 0);
  return match[1] === '' || minor === 0 ? minor : -minor;
}
