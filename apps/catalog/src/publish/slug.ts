/** The longest part of a slug that comes from the title. */
const LONGEST = 80;

/**
 * The last part of a page's address: the title in a–z, 0–9 and "-", then the code, so that products with one title differ.
 * What has no counterpart there, such as Chinese, is left out.
 */
export function slugOf(title: string, code: string): string {
  const plain = title.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  const words = plain.replaceAll(/[^a-z0-9]+/g, '-').slice(0, LONGEST);
  return `${words}-${code.toLowerCase()}`.replaceAll(/-{2,}/g, '-').replaceAll(/^-|-$/g, '');
}
