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

  /** Puts new blocks in the place of those that changed: what is selected, or has the focus, elsewhere stays so. */
  function update(parent, html) {
    const template = document.createElement('template');
    template.innerHTML = html;
    const blocks = [...template.content.childNodes];
    for (const gone of [...parent.childNodes].slice(blocks.length)) {
      gone.remove();
    }
    blocks.forEach((block, at) => {
      const old = parent.childNodes[at];
      if (old === undefined) {
        parent.append(block);
      } else if (!old.isEqualNode(block)) {
        old.replaceWith(block);
      }
    });
  }

  window.addEventListener('message', ({ data }) => {
    const wasAtEnd =
      window.scrollY > 0 && window.innerHeight + window.scrollY >= document.body.scrollHeight - 40;
    one('h1').textContent = data.title;
    one('.state').textContent = data.state;
    one('.problem').textContent = data.problem;
    stop.hidden = data.state === '';
    one('main').setAttribute('aria-busy', String(data.state !== ''));
    update(one('main'), data.html);
    one('footer').hidden = data.files.length === 0;
    one('footer ul').replaceChildren(...data.files.map(fileItem));
    if (wasAtEnd) {
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
