/** A page in the colours of the editor. Pure. */

/** The page asks the browser for light or dark; the user's theme decides here. */
export function inTheme(html: string, dark: boolean): string {
  return html.replaceAll('@media (prefers-color-scheme: dark)', dark ? '@media all' : '@media not all');
}
