'use strict';
// What every section of the page uses: elements, numbers for people, charts in the colours of the theme.
const Report = { sections: [], charts: [], makers: [] };

(() => {
  Report.h = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
      else if (name === 'style') element.style.cssText = value;
      else element.setAttribute(name, value === true ? '' : value);
    }
    element.append(...children.flat().filter(child => child !== null && child !== undefined));
    return element;
  };
  const h = Report.h;

  const finite = Report.finite = value => typeof value === 'number' && isFinite(value);
  Report.number = (value, digits = 4) => {
    if (!finite(value)) return '–';
    if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString('en');
    const size = Math.abs(value);
    if (size >= 1e6 || size < 1e-4) return value.toExponential(digits - 1);
    if (size >= 1e4) return Math.round(value).toLocaleString('en');
    return String(+value.toPrecision(digits));
  };
  // Of metrics: a column of them, however large, stays narrow.
  Report.metric = value => finite(value) && Math.abs(value) >= 1e6 ? value.toExponential(3) : Report.number(value);
  // A name that may break behind its underscores.
  Report.name = text => String(text).split(/(?<=_)/).flatMap((part, i) => i ? [h('wbr'), part] : [part]);
  Report.percent = (value, digits = 1) => finite(value) ? (100 * value).toFixed(digits) + ' %' : '–';
  Report.bytes = value => {
    if (!finite(value)) return '–';
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let unit = 0;
    while (Math.abs(value) >= 1024 && unit < 4) { value /= 1024; ++unit; }
    return (unit && Math.abs(value) < 10 ? value.toFixed(1) : Math.round(value)) + ' ' + units[unit];
  };
  Report.seconds = value => {
    if (!finite(value)) return '–';
    if (value < 1e-3) return (1e6 * value).toFixed(0) + ' µs';
    if (value < 1) return (1e3 * value).toFixed(value < 0.01 ? 1 : 0) + ' ms';
    if (value < 120) return value.toFixed(value < 10 ? 2 : 1) + ' s';
    if (value < 7200) return Math.floor(value / 60) + ' min ' + Math.round(value % 60) + ' s';
    return (value / 3600).toFixed(1) + ' h';
  };
  Report.usd = value => !finite(value) ? '–' : value === 0 ? '0 USD' : value < 1e-4 ? value.toExponential(1) + ' USD' : value < 0.01 ? value.toPrecision(2) + ' USD' : value.toFixed(2) + ' USD';

  Report.colour = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
  Report.series = i => Report.colour('c' + (i % 8));
  Report.faint = (colour, alpha = '33') => colour + alpha;

  // Of many columns, each row is a block of labelled cells where the page is narrow.
  Report.table = (head, rows, kind = head.length > 4 ? 'stack' : '') => h('div', { class: 'scroll ' + kind }, h('table', { class: kind },
    h('thead', {}, h('tr', {}, head.map(cell => h('th', { class: cell.n ? 'n' : null, scope: 'col' }, cell.n || cell)))),
    h('tbody', {}, rows.map(row => h('tr', {}, row.map((cell, i) => {
      const td = cell instanceof HTMLTableCellElement ? cell : h('td', { class: head[i] && head[i].n ? 'n' : null }, cell);
      if (head[i]) td.dataset.label = head[i].n || head[i];
      if (td.textContent === '–') td.classList.add('none');
      return td;
    }))))));
  Report.card = (title, about, ...content) => h('div', { class: 'card' }, title ? h('h3', {}, title) : null,
    about ? h('p', { class: 'about' }, about) : null, ...content);
  Report.tile = (name, value, about) => h('div', { class: 'tile' }, h('span', {}, name), h('b', {}, value), about ? h('span', {}, about) : null);
  Report.choice = (text, options, change) => h('label', {}, text, h('select', { onchange: e => change(e.target.value) },
    options.map(([value, name]) => h('option', { value }, name))));

  // A chart in a card of its own. `make` gives Chart.js's configuration, anew when the theme changes.
  Report.plot = (title, about, make, kind = '') => {
    const canvas = h('canvas', { role: 'img', 'aria-label': title });
    const card = Report.card(title, about, h('div', { class: 'plot ' + kind }, canvas));
    const entry = { canvas, make, chart: null };
    Report.makers.push(entry);
    card.redraw = () => draw(entry);
    return card;
  };

  const axis = (text, more = {}) => {
    const { ticks, ...rest } = more;
    return { title: { display: !!text, text, color: Report.colour('muted') }, grid: { color: Report.colour('grid') },
      ticks: { color: Report.colour('muted'), maxRotation: 45, autoSkipPadding: 8, ...ticks }, ...rest };
  };
  Report.axis = axis;
  // Labels of categories: shortened so that there is room for the bars; a tooltip has all of one.
  const labelled = (across, more) => ({ ...more, ticks: { callback(value) {
    const label = String(this.getLabelForValue(value)), most = across ? (this.chart.width < 480 ? 18 : 34) : 14;
    return label.length > most ? label.slice(0, most - 1) + '…' : label;
  }, ...(more || {}).ticks } });
  // Of straight lines through points {x, y}.
  Report.lines = (datasets, x, y, more = {}) => ({ type: 'line', data: { datasets: datasets.map((set, i) => {
    const colour = set.colour || Report.series(i);
    return { borderColor: colour, backgroundColor: set.fill ? Report.faint(colour) : colour, borderWidth: 2,
      pointRadius: set.data.length > 40 ? 0 : 2, pointHitRadius: 6, spanGaps: true, ...set };
  }) }, options: { interaction: { mode: 'nearest', intersect: false },
    scales: { x: axis(x, { type: 'linear', ...more.x }), y: axis(y, { ...more.y }) }, plugins: { legend: { display: datasets.length > 1 }, ...more.plugins } } });
  Report.bars = (labels, datasets, x, y, more = {}) => ({ type: 'bar', data: { labels, datasets: datasets.map((set, i) => (
    { backgroundColor: set.colour || Report.series(i), ...set })) }, options: { indexAxis: more.across ? 'y' : 'x',
    interaction: { mode: 'index', intersect: false, axis: more.across ? 'y' : 'x' },
    scales: { x: axis(x, more.across ? more.x : labelled(false, { ...more.x, ticks: { autoSkip: labels.length > 13, ...(more.x || {}).ticks } })), y: axis(y, more.across ? labelled(true, { ...more.y, ticks: { autoSkip: false, ...(more.y || {}).ticks } }) : more.y) }, plugins: { legend: { display: datasets.length > 1 }, ...more.plugins } } });

  const draw = Report.draw = entry => {
    if (entry.chart) entry.chart.destroy();
    const config = entry.make();
    config.options = { responsive: true, maintainAspectRatio: false, animation: false, ...config.options };
    const plugins = config.options.plugins = config.options.plugins || {};
    plugins.legend = { position: 'bottom', ...plugins.legend, labels: { color: Report.colour('text'), boxWidth: 14, boxHeight: 3, ...(plugins.legend || {}).labels } };
    entry.chart = new Chart(entry.canvas, config);
    document.documentElement.dataset.charts = Report.makers.filter(m => m.chart).length;
  };

  Report.findings = list => list.map(f => h('div', { class: 'finding ' + f.severity },
    h('b', {}, h('span', { class: 'tag ' + f.severity }, { good: 'good', note: 'note', warning: 'look', problem: 'problem' }[f.severity]), f.title),
    f.evidence ? h('p', {}, f.evidence) : null, f.remedy ? h('p', { class: 'muted' }, 'What helps: ' + f.remedy) : null));

  Report.section = (id, name, make) => Report.sections.push({ id, name, make });

  Report.show = () => {
    const all = JSON.parse(document.getElementById('facts').textContent);
    const main = document.getElementById('main'), nav = document.getElementById('nav');
    main.replaceChildren();
    const several = all.length > 1;
    document.getElementById('title').textContent = several ? all.length + ' runs compared' : all[0].title;
    document.title = (several ? all.length + ' runs' : all[0].title) + ' – Shoestring report';
    document.getElementById('subtitle').textContent = several ? all.map(f => f.title).join(', ')
      : [all[0].outputs.map(o => o.name + ' (' + o.type + ')').join(', ') + ' from ' + all[0].inputs.length + ' columns', all[0].made].join(' · ');
    for (const section of Report.sections) {
      const content = section.make(all[0], all);
      if (!content || !content.length) continue;
      nav.append(h('a', { href: '#' + section.id }, section.name));
      main.append(h('section', {}, h('h2', { id: section.id }, section.name), ...content));
    }
    document.getElementById('footer').textContent = 'Made by ' + all[0].program + '. This page needs no network; its numbers stand in report.json. Drawn with Chart.js ' + Chart.version + ' (MIT License).';
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Report.makers.forEach(draw);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => Report.makers.forEach(draw));
  };
})();
