/** Links to files in what the server writes: markdown refuses `file:`, so they travel under another name. Pure. */

/** Nobody can own a name below `.invalid`. */
const CARRIER = 'https://file.invalid';

/** The same markdown, with links that survive its rendering. */
export function markdownForView(text: string): string {
  return text.replaceAll('](file://', `](${CARRIER}`).replaceAll('](<file://', `](<${CARRIER}`);
}

/** The file that a link of the page names, and the line, from 0; undefined for links elsewhere. */
export function fileLink(href: string): { readonly uri: string; readonly line: number } | undefined {
  const link = href.startsWith(`${CARRIER}/`) ? `file://${href.slice(CARRIER.length)}` : href;
  if (!link.startsWith('file:')) {
    return undefined;
  }
  const [uri = '', fragment = ''] = link.split('#');
  const line = /^L?(\d+)/.exec(fragment)?.[1];
  return { uri, line: line === undefined ? 0 : Math.max(0, Number(line) - 1) };
}
