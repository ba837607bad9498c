// Several runs beside each other.
(() => {
  const { h, table, card, plot, lines, bars, number, bytes, seconds, usd, points } = Report;
  Report.section('compare', 'Comparison', (facts, all) => {
    if (all.length < 2) return null;
    const held = run => run.metrics.splits.length - 1;
    const keys = [];
    for (const run of all) for (const r of run.metrics.rows) { const key = r.output + '\u0000' + r.metric; if (!keys.some(k => k.key === key)) keys.push({ key, ...r }); }
    const value = (run, key) => { const row = run.metrics.rows.find(r => r.output + '\u0000' + r.metric === key); return row ? row.values[held(run)] : null; };
    const rows = keys.map(k => {
      const values = all.map(run => value(run, k.key)), some = values.filter(Report.finite);
      const best = k.maximise ? Math.max(...some) : Math.min(...some);
      return [k.output, k.metric, ...values.map(v => h('td', { class: 'n', style: v === best && some.length > 1 ? 'font-weight:700' : null }, Report.metric(v)))];
    });
    const whole = card('Metrics', 'On the held-out rows of each run; the best in bold. Rows may differ between runs.', table(['output', 'metric', ...all.map(run => ({ n: run.title }))],
      [...rows, ['', 'rows', ...all.map(run => number(run.metrics.splits[held(run)].rows) + ' ' + run.metrics.splits[held(run)].name)]]));
    const costs = card('What they took', null, table(['', ...all.map(run => ({ n: run.title }))], [
      ['parameters', r => r.run && number(r.run.parameters)], ['steps', r => r.run && number(r.run.steps)], ['time', r => r.plan && seconds(r.plan.times.took_seconds)],
      ['time planned', r => r.plan && seconds(r.plan.times.planned_seconds)], ['memory', r => r.plan && bytes(r.plan.peak_bytes)], ['memory planned', r => r.plan && bytes(r.plan.ledger.memory.total_bytes)],
      ['money', r => r.plan && usd(r.plan.spent_usd)], ['samples/s', r => r.run && number(r.run.samples_per_second, 3)]].map(([name, of]) => [name, ...all.map(r => of(r) || '–')])));
    whole.classList.add('whole'); costs.classList.add('whole');
    const cards = [whole, costs];
    const main = { binary: 'roc_auc', category: 'accuracy', number: 'r2', set: 'jaccard', vector: 'mean_absolute_error' }[facts.outputs[0].type];
    const key = facts.outputs[0].name + '\u0000' + main;
    cards.push(plot(main + ' of ' + facts.outputs[0].name, 'On held-out rows', () => bars(all.map(r => r.title), [{ data: all.map(r => value(r, key)), backgroundColor: all.map((_, i) => Report.series(i)) }], main, '', { across: true, y: { ticks: { autoSkip: false } } })));
    const curve = (name, split, title) => {
      const sets = all.map((run, i) => {
        const s = run.training && run.training.series.find(t => t.name === name && t.split === split);
        return s && { label: run.title, data: points(run.training.steps, s.values), colour: Report.series(i) };
      }).filter(Boolean);
      return sets.length ? plot(title, null, () => lines(sets, 'step', title)) : null;
    };
    cards.push(curve('loss', 'validation', 'Validation loss'), curve('loss', 'training', 'Training loss'), curve(main, 'validation', 'Validation ' + main));
    const judged = all.map((run, i) => ({ run, i, of: run.outputs[0].name === facts.outputs[0].name && run.quality && run.quality.outputs[0] && run.quality.outputs[0].type === 'binary' && run.quality.outputs[0].curves[0].of })).filter(r => r.of);
    if (judged.length) cards.push(plot('ROC of ' + facts.outputs[0].name, judged.map(j => j.run.title + ': ' + number(j.of.roc_auc)).join(', '), () => lines(judged.map(j => ({ label: j.run.title, colour: Report.series(j.i), pointRadius: 0,
      data: j.of.points.map(p => ({ x: p[2] / j.of.negatives, y: p[1] / j.of.positives })) })), 'false positive rate', 'true positive rate', { x: { min: 0, max: 1 }, y: { min: 0, max: 1 } })),
    plot('Precision and recall of ' + facts.outputs[0].name, null, () => lines(judged.map(j => ({ label: j.run.title, colour: Report.series(j.i), pointRadius: 0,
      data: j.of.points.filter(p => p[1] + p[2] > 0).map(p => ({ x: p[1] / j.of.positives, y: p[1] / (p[1] + p[2]) })) })), 'recall', 'precision', { x: { min: 0, max: 1 }, y: { min: 0, max: 1 } })));
    return [h('div', { class: 'grid' }, cards.filter(Boolean))];
  });
})();
