/** What was counted, as markdown to read. Pure; knows no editor. */

interface Counts {
  readonly shown: number;
  readonly accepted: number;
  readonly partially_accepted: number;
  readonly dismissed: number;
  readonly accepted_chars: number;
  readonly requests: number;
  readonly answered: number;
}

/** What the command `ghostfill.stats` answers, as far as it is shown. */
export interface Stats {
  readonly file: string;
  readonly enabled: boolean;
  readonly days: number;
  readonly total: Counts;
  readonly by_day: Readonly<Record<string, Counts>>;
  readonly by_language: Readonly<Record<string, Counts>>;
  readonly by_source: Readonly<Record<string, Counts>>;
}

const COLUMNS: readonly (readonly [string, (counts: Counts) => string])[] = [
  ['asked', ({ requests }) => String(requests)],
  ['answered', ({ answered }) => String(answered)],
  ['shown', ({ shown }) => String(shown)],
  ['accepted', ({ accepted, shown }) => `${accepted}${share(accepted, shown)}`],
  ['in part', ({ partially_accepted }) => String(partially_accepted)],
  ['dismissed', ({ dismissed }) => String(dismissed)],
  ['characters', ({ accepted_chars }) => String(accepted_chars)],
];

/** The whole page. */
export function statsPage(stats: Stats): string {
  const days = stats.days === 1 ? 'Today' : `The last ${stats.days} days`;
  const sections = [
    '# Completions',
    table(days, { total: stats.total }),
    table('By language', stats.by_language),
    table('By source', stats.by_source),
    table('By day', stats.by_day),
    stats.enabled
      ? `Counted on this machine only, in \`${stats.file}\`; \`ghostfill.stats.enabled\` ends the counting.`
      : 'Counting is turned off by `ghostfill.stats.enabled`.',
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function table(title: string, rows: Readonly<Record<string, Counts>>): string {
  const names = Object.keys(rows);
  if (names.length === 0) {
    return '';
  }
  const lines = [
    ['', ...COLUMNS.map(([name]) => name)],
    ['---', ...COLUMNS.map(() => '--:')],
    ...Object.entries(rows).map(([name, counts]) => [name, ...COLUMNS.map(([, of]) => of(counts))]),
  ];
  return `## ${title}\n\n${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}`;
}

function share(part: number, whole: number): string {
  return whole > 0 ? ` (${Math.round((100 * part) / whole)}%)` : '';
}
