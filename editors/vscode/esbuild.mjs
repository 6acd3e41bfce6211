// Bundles the extension to dist/, with the licenses of what is in it; with --tests the unit tests to dist-test/.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const common = { bundle: true, platform: 'node', format: 'cjs', target: 'node20', logLevel: 'warning' };

async function buildTests() {
  const names = readdirSync('test').filter((name) => name.endsWith('.test.ts'));
  const entryPoints = names.map((name) => join('test', name));
  await build({ ...common, entryPoints, outdir: 'dist-test', sourcemap: 'inline' });
}

async function buildExtension() {
  const { metafile } = await build({
    ...common,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    external: ['vscode'],
    minify: true,
    metafile: true,
  });
  writeFileSync('dist/third-party-licenses.txt', licensesOf(Object.keys(metafile.inputs)));
}

/** The license of every package that files of the bundle come from. */
function licensesOf(inputs) {
  const found = inputs.map((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  const folders = [...new Set(found.filter((folder) => folder !== undefined))].sort();
  const texts = folders.map((folder) => {
    const name = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
    if (name === undefined) {
      throw new Error(`${folder} has no license`);
    }
    const { name: title, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf-8'));
    return `${title} ${version}\n\n${readFileSync(join(folder, name), 'utf-8').trim()}\n`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

await (process.argv.includes('--tests') ? buildTests() : buildExtension());
