// The data: what stands in the columns, what they tell of the target, how the splits differ.
(() => {
  const { h, table, card, plot, lines, bars, number, percent, finite, findings } = Report;
  const splits = ['training', 'validation', 'test'];
  const words = value => !finite(value) ? '–' : percent(value);
  const called = c => label => label === '' ? '(empty)' : label === '<UNK>' ? (c.missing ? '(missing, rare)' : '(rare)') : label;
  const sampled = (facts, name) => { const s = (facts.sampled_rows || []).find(s => s.name === name), all = facts.split_rows.find(s => s.name === name); return s && all ? (s.rows < all.rows ? `${number(s.rows)} sampled ${name} rows of ${number(all.rows)}` : `all ${number(s.rows)} ${name} rows`) : null; };

  const where = c => c.edges ? c.edges.slice(0, -1).map((e, i) => number((e + c.edges[i + 1]) / 2, 3)) : c.labels && c.labels.map(called(c));
  function one(c, facts) {
    const target = facts.outputs[0].name, shown = [];
    if (!where(c)) return [h('p', { class: 'muted' }, 'Of a column of this type no distribution is drawn.')];
    shown.push(plot('Values of ' + c.name, 'Share of the rows of each split' + (c.edges ? '; the outermost hold all beyond' : '') + (c.missing && c.edges ? `. ${percent(c.missing / facts.rows)} had no value, and stand where they were filled` : ''), () => bars(where(c),
      c.shares.map((data, i) => ({ label: facts.evaluation && facts.split_rows.length === 1 ? facts.split_rows[0].name : splits[i], data, colour: Report.series(i), barPercentage: 1 })).filter(s => s.data.length), c.edges ? c.name : '', 'share', { y: { beginAtZero: true } })));
    if (c.relation.length) {
      const binary = facts.outputs[0].type === 'binary', several = c.relation.length > 1;
      const name = i => several ? facts.classes[i] : binary ? `share that is '${facts.classes[0]}'` : 'mean of ' + target;
      const kind = c.edges && !several ? 'line' : 'bar';
      shown.push(plot('Relation to ' + target, 'Of ' + (sampled(facts, 'training') || sampled(facts, facts.split_rows[0].name) || 'sampled rows'), () => {
        const config = bars(where(c), c.relation.map((data, i) => ({ label: name(i), data, colour: Report.series(i) })), c.edges ? c.name : '', several ? 'share' : name(0), { y: { beginAtZero: kind === 'bar', stacked: several }, x: { stacked: several } });
        if (kind === 'line') { config.type = 'line'; Object.assign(config.data.datasets[0], { borderColor: Report.series(0), pointRadius: 2, spanGaps: true }); }
        return config;
      }));
    }
    return shown;
  }

  Report.section('data', 'Data', (facts, all) => {
    if (all.length > 1 || (!facts.columns.length && !facts.data_findings.length)) return null;
    const out = [], measured = facts.evaluation && facts.split_rows.length === 1;
    out.push(card('Found in the data', facts.data_findings.length ? 'Each with what helps' : measured ? 'Nothing to complain of: what is measured lies where the training rows lay, and nothing is missing.' : 'Nothing to complain of: no leak, no copies, no drift, no constant column.', ...findings(facts.data_findings)), h('div', { style: 'height:14px' }));
    const d = facts.duplicates;
    if (d && d.training_rows) out.push(h('p', { class: 'muted' }, `Copies: ${number(d.repeated)} of ${number(d.training_rows)} training rows that were looked at have the inputs of another, and ${number(d.seen)} of ${number(d.held_out)} held-out rows those of a training row.`));
    if (!facts.columns.length) return out;
    const strong = facts.columns.filter(c => finite(c.strength)).slice(0, 20);
    const grid = h('div', { class: 'grid' });
    if (strong.length) grid.append(plot('What each column tells by itself', 'Share of the target ' + facts.outputs[0].name + ' that it explains', () => bars(strong.map(c => c.name), [{ data: strong.map(c => c.strength) }], '', '',
      { across: true, x: { beginAtZero: true, ticks: { callback: v => percent(v, 0) } }, y: { ticks: { autoSkip: false } } }), strong.length > 10 ? 'tall' : ''));
    const drawn = facts.columns.filter(c => where(c));
    if (drawn.length) {
      const made = new Map(), holder = h('div', { class: 'holder' });
      const show = name => {
        const begin = Report.makers.length;
        if (!made.has(name)) made.set(name, one(drawn.find(c => c.name === name), facts));
        holder.replaceChildren(...made.get(name));
        if (document.documentElement.dataset.charts) Report.makers.slice(begin).forEach(Report.draw);
      };
      show(drawn[0].name);
      const chooser = card('A column', null, h('div', { class: 'controls' }, Report.choice('column', drawn.map(c => [c.name, c.name]), show)), holder);
      chooser.classList.add('two');
      grid.append(chooser);
    }
    const kinds = card('Columns', measured ? 'Least, mean and most are of the training rows. What is measured differs from them by the population stability index (0.1 is some, 0.25 is much), of numbers by standard deviations of the mean, and by the share beyond least and most' : 'The splits differ by the population stability index: 0.1 is some, 0.25 is much', table(
      ['column', 'type', { n: 'missing' }, { n: 'values' }, { n: 'least' }, { n: 'mean' }, { n: 'most' }, { n: 'explains' }, ...(measured ? [{ n: 'differs' }, { n: 'mean is off' }, { n: 'beyond' }] : [{ n: 'splits differ' }])],
      facts.columns.map(c => [c.name, c.type, c.missing ? percent(c.missing / facts.rows) : '0', c.distinct ? number(c.distinct) : '–', number(c.minimum), number(c.mean), number(c.maximum), words(c.strength), finite(c.drift) ? c.drift.toFixed(3) : '–', ...(measured ? [finite(c.shift) ? c.shift.toFixed(2) + ' sd' : '–', finite(c.outside) ? percent(c.outside) : '–'] : [])])));
    kinds.classList.add('whole');
    grid.append(kinds);
    out.push(grid);
    return out;
  });
})();
