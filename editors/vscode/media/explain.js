/** Shows what the extension sends and tells it what is clicked; decides nothing. */
(() => {
  const editor = acquireVsCodeApi();
  const one = (selector) => document.querySelector(selector);
  const stop = one('button');

  function fileItem(file) {
    const link = document.createElement('a');
    link.textContent = file.path;
    link.href = file.uri;
    const item = document.createElement('li');
    item.append(link);
    return item;
  }

  window.addEventListener('message', ({ data }) => {
    const wasAtEnd = window.innerHeight + window.scrollY >= document.body.scrollHeight - 40;
    one('h1').textContent = data.title;
    one('main').innerHTML = data.html;
    one('main').setAttribute('aria-busy', String(data.busy));
    one('.problem').textContent = data.problem;
    stop.hidden = !data.busy;
    one('footer').hidden = data.files.length === 0;
    one('footer ul').replaceChildren(...data.files.map(fileItem));
    if (data.busy && wasAtEnd && window.scrollY > 0) {
      window.scrollTo(0, document.body.scrollHeight);
    }
  });
  stop.addEventListener('click', () => editor.postMessage({ kind: 'stop' }));
  document.addEventListener(
    'click',
    (event) => {
      const link = event.target instanceof Element ? event.target.closest('a') : null;
      const href = link?.getAttribute('href');
      if (href && !href.startsWith('#')) {
        event.preventDefault();
        event.stopPropagation();
        editor.postMessage({ kind: 'open', href });
      }
    },
    true,
  );
  editor.postMessage({ kind: 'ready' });
})();
