// How training went, step by step.
(() => {
  const { h, plot, lines, finite } = Report;
  const points = (xs, ys) => xs.map((x, i) => ({ x, y: ys[i] })).filter(p => finite(p.y));
  Report.points = points;

  Report.section('training', 'Training', (facts, all) => {
    const t = facts.training;
    if (!t || all.length > 1 || !t.steps.length) return null;
    const cards = [];
    const best = { plugins: { } };
    const marked = series => series.map((s, i) => ({ label: s.split, data: points(t.steps, s.values), colour: Report.series(s.split === 'validation' ? 1 : 0) }));
    const with_best = (sets, y) => {
      const values = sets.flatMap(s => s.data.map(p => p.y));
      if (t.best_step > 0 && values.length) sets.push({ label: 'best model', data: [{ x: t.best_step, y: Math.min(...values) }, { x: t.best_step, y: Math.max(...values) }],
        colour: Report.colour('muted'), borderDash: [4, 4], pointRadius: 0, borderWidth: 1 });
      return lines(sets, 'step', y, best);
    };
    const by_name = new Map();
    for (const s of t.series) by_name.set(s.name, [...(by_name.get(s.name) || []), s]);
    if (by_name.has('loss')) cards.push(plot('Loss', 'Training: the mean since the last evaluation; the dashed line is the model that was kept', () => with_best(marked(by_name.get('loss')), 'loss')));
    const names = [...by_name.keys()].filter(n => n !== 'loss');
    if (names.length) {
      let shown = names.find(n => /roc_auc|r2|jaccard/.test(n)) || names[0];
      const metric = plot('Metric', null, () => with_best(marked(by_name.get(shown)), shown));
      metric.insertBefore(h('div', { class: 'controls' }, Report.choice('show', [shown, ...names.filter(n => n !== shown)].map(n => [n, n]), value => { shown = value; metric.redraw(); })), metric.querySelector('.plot'));
      cards.push(metric);
    }
    const wide = values => { const some = values.filter(finite); return Math.min(...some) > 0 && Math.max(...some) > 50 * Math.min(...some); };
    cards.push(plot('Learning rate', null, () => lines([{ data: points(t.steps, t.learning_rate) }], 'step', '', { y: { beginAtZero: true } })));
    if (t.gradient_norm.some(finite)) cards.push(plot('Gradient norm', 'Of the last step before each evaluation, before clipping',
      () => lines([{ data: points(t.steps, t.gradient_norm) }], 'step', '', { y: wide(t.gradient_norm) ? { type: 'logarithmic', ticks: { maxTicksLimit: 8 } } : { beginAtZero: true } })));
    if (t.samples_per_second.length > 1) cards.push(plot('Speed', 'Samples a second between two evaluations, these included',
      () => lines([{ data: points(t.speed_steps, t.samples_per_second) }], 'step', 'samples/s', { y: { beginAtZero: true } })));
    return [h('div', { class: 'grid' }, cards)];
  });
})();
