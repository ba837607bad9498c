// A cross-validation: each fold's metrics, their mean and how far they spread, and what each fold took.
(() => {
  const { h, table, card, plot, bars, tile, number, bytes, seconds, metric, name } = Report;
  const main = { binary: 'roc_auc', category: 'accuracy', number: 'r2', set: 'jaccard', vector: 'mean_absolute_error' };
  Report.section('folds', 'Folds', (facts, all) => {
    const f = facts.folds;
    if (!f || all.length > 1) return null;
    const several = facts.outputs.length > 1, names = f.runs.map((_, i) => 'fold ' + (i + 1));
    const of = facts.outputs.map(o => f.metrics.find(m => m.output === o.name && m.metric === main[o.type])).filter(Boolean);
    const tiles = of.slice(0, 4).map(m => tile(m.metric + (several ? ' of ' + m.output : ''), metric(m.mean), `± ${metric(m.deviation)} over ${f.count} folds`));
    if (facts.rows) tiles.push(tile('rows', number(facts.rows), 'each is tested once, by the model that was not trained on it'));
    const took = f.runs.reduce((sum, r) => sum + (r.took_seconds || 0), 0), peak = Math.max(...f.runs.map(r => r.peak_bytes));
    if (took > 0) tiles.push(tile('time', seconds(took), 'of all folds'));
    if (peak > 0) tiles.push(tile('memory', bytes(peak), 'at most'));
    const values = card('Metrics by fold', `On each fold's test rows; the spread is the sample standard deviation over the folds`, table(
      [...(several ? ['output'] : []), 'metric', { n: 'mean' }, { n: 'spread' }, ...names.slice(0, 10).map(n => ({ n }))],
      f.metrics.map(m => [...(several ? [m.output] : []), h('td', {}, name(m.metric)), metric(m.mean), metric(m.deviation), ...m.folds.slice(0, 10).map(v => metric(v))])));
    const runs = card('What each fold took', null, table(['fold', { n: 'training rows' }, { n: 'test rows' }, { n: 'steps' }, 'ended', { n: 'time' }, { n: 'planned' }, { n: 'memory' }, { n: 'planned' }],
      f.runs.map((r, i) => r.rows.length ? [names[i], number(r.rows[0]), number(r.rows[2]), number(r.steps), r.ending, seconds(r.took_seconds), seconds(r.planned_seconds), bytes(r.peak_bytes), bytes(r.planned_bytes)] : [names[i], '–', '–', '–', 'no report: the time was short', '–', '–', '–', '–'])));
    values.classList.add('whole'); runs.classList.add('whole');
    return [h('div', { class: 'tiles' }, tiles), h('div', { class: 'grid' }, [values,
      ...of.map(m => plot(m.metric + (several ? ' of ' + m.output : '') + ' by fold', `Mean ${metric(m.mean)} ± ${metric(m.deviation)}`, () => bars(names, [{ data: m.folds }], '', m.metric, { y: { grace: '10%' } }))), runs])];
  });
})();
