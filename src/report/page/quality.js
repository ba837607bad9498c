// How good the answers are, of each output.
(() => {
  const { h, table, card, plot, lines, bars, number, percent, finite } = Report;
  const heat = share => `background: rgba(var(--heat), ${(0.65 * Math.max(0, Math.min(1, share || 0))).toFixed(3)})`;

  // What a threshold gives: the last point that is not below it.
  const counts_at = (curve, threshold) => {
    let point = curve.points[0];
    for (const p of curve.points) if (p[0] === null || p[0] >= threshold) point = p;
    const [, tp, fp] = point;
    return { tp, fp, fn: curve.positives - tp, tn: curve.negatives - fp };
  };
  const rates = c => ({ precision: c.tp / (c.tp + c.fp), recall: c.tp / (c.tp + c.fn), f1: 2 * c.tp / (2 * c.tp + c.fp + c.fn), accuracy: (c.tp + c.tn) / (c.tp + c.tn + c.fp + c.fn) });

  function matrix(labels, counts, about) {
    const k = labels.length, sums = labels.map((_, t) => counts.slice(t * k, t * k + k).reduce((a, b) => a + b, 0));
    return [h('p', { class: 'about' }, about), h('div', { class: 'scroll' }, h('table', { class: 'matrix' },
      h('thead', {}, h('tr', {}, h('th', {}, 'truth \\ answer'), labels.map(l => h('th', { scope: 'col' }, l)))),
      h('tbody', {}, labels.map((label, t) => h('tr', {}, h('th', { scope: 'row' }, label), labels.map((_, a) => {
        const n = counts[t * k + a], share = sums[t] ? n / sums[t] : 0;
        return h('td', { style: heat(share) }, number(n), h('small', {}, sums[t] ? percent(share) : '–'));
      }))))))];
  }

  function class_table(q) {
    const k = q.labels.length, at = (t, a) => q.confusion[t * k + a];
    return table(['class', { n: 'rows' }, { n: 'precision' }, { n: 'recall' }, { n: 'F1' }], q.labels.map((label, c) => {
      let truths = 0, answers = 0;
      for (let o = 0; o < k; ++o) { truths += at(c, o); answers += at(o, c); }
      return [label, number(truths), number(at(c, c) / answers), number(at(c, c) / truths), number(2 * at(c, c) / (truths + answers))];
    }));
  }

  const roc = curves => plot('ROC', curves.map(c => (curves.length > 1 ? c.label + ': ' : '') + 'area ' + number(c.of.roc_auc)).join(', '), () => lines([
    ...curves.map(c => ({ label: c.label, data: c.of.points.map(p => ({ x: p[2] / c.of.negatives, y: p[1] / c.of.positives })), pointRadius: 0 })),
    { label: 'chance', data: [{ x: 0, y: 0 }, { x: 1, y: 1 }], colour: Report.colour('muted'), borderDash: [4, 4], borderWidth: 1, pointRadius: 0 }],
    'false positive rate', 'true positive rate', { x: { min: 0, max: 1 }, y: { min: 0, max: 1 } }));
  const precision_recall = curves => plot('Precision and recall', curves.map(c => (curves.length > 1 ? c.label + ': ' : '') + 'average precision ' + number(c.of.average_precision)).join(', '), () => lines(
    curves.map(c => ({ label: c.label, data: c.of.points.filter(p => p[1] + p[2] > 0).map(p => ({ x: p[1] / c.of.positives, y: p[1] / (p[1] + p[2]) })), pointRadius: 0 })),
    'recall', 'precision', { x: { min: 0, max: 1 }, y: { min: 0, max: 1 } }));
  const calibration = (curves, what) => plot('Calibration', what + '; error ' + curves.map(c => number(c.of.calibration_error, 3)).join(', '), () => lines([
    ...curves.map(c => ({ label: c.label, data: c.of.calibration.map(b => ({ x: b[0], y: b[1], rows: b[2] })) })),
    { label: 'perfect', data: [{ x: 0, y: 0 }, { x: 1, y: 1 }], colour: Report.colour('muted'), borderDash: [4, 4], borderWidth: 1, pointRadius: 0 }],
    'predicted probability', 'share that is so', { x: { min: 0, max: 1 }, y: { min: 0, max: 1 },
      plugins: { tooltip: { callbacks: { label: c => number(c.parsed.y, 3) + ' of ' + (c.raw.rows ? number(c.raw.rows) + ' rows' : '') } } } }));
  const lift = curves => plot('Gain', 'Of all that are so, the share that is among the rows with the highest probabilities; lift is its ratio to chance: '
    + curves.map(c => (curves.length > 1 ? c.label + ' ' : '') + number(c.of.lift[2][1] / c.of.lift[2][0], 3)).join(', ') + ' in the first tenth', () => lines([
    ...curves.map(c => ({ label: c.label, data: c.of.lift.map(p => ({ x: p[0], y: p[1] })), pointRadius: 0 })),
    { label: 'chance', data: [{ x: 0, y: 0 }, { x: 1, y: 1 }], colour: Report.colour('muted'), borderDash: [4, 4], borderWidth: 1, pointRadius: 0 }],
    'share of the rows', 'share found', { x: { min: 0, max: 1 }, y: { min: 0, max: 1 } }));

  // Thresholds of a binary output: its sweep, the best for F1 or for given costs, and the confusion there.
  function binary(q, split) {
    const by = q.choice && q.choice.of;  // chosen where it is not judged
    const curve = q.curves[0].of, [no, yes] = q.labels;
    const spot = h('div', {}), said = h('p', {}), slider = h('input', { type: 'range', min: 0, max: 1, step: 0.01, value: q.threshold, 'aria-label': 'threshold' });
    const at = h('b', {});
    const show = threshold => {
      const [tn, fp, fn, tp] = q.confusion, c = threshold === q.threshold ? { tn, fp, fn, tp } : counts_at(curve, threshold), r = rates(c);
      at.textContent = number(threshold, 3);
      spot.replaceChildren(...matrix(q.labels, [c.tn, c.fp, c.fn, c.tp], 'Counts, and shares of each truth'),
        h('p', { class: 'about' }, `precision ${number(r.precision, 3)}, recall ${number(r.recall, 3)}, F1 ${number(r.f1, 3)}, accuracy ${number(r.accuracy, 3)}`));
    };
    slider.addEventListener('input', () => show(+slider.value));
    const set = value => { slider.value = value; show(value); };
    const fp = h('input', { type: 'number', min: 0, value: 1, step: 'any' }), fn = h('input', { type: 'number', min: 0, value: 1, step: 'any' });
    const cost_at = threshold => { const c = counts_at(curve, threshold); return (c.fp * +fp.value + c.fn * +fn.value) / (curve.positives + curve.negatives); };
    const costs = () => {
      let best = null;
      const from = by || curve, all = curve.positives + curve.negatives;
      for (const p of from.points) {
        const cost = p[2] * +fp.value + (from.positives - p[1]) * +fn.value;
        if (best === null || cost < best.cost) best = { cost, threshold: p[0] };
      }
      said.replaceChildren(best.threshold === null ? `Cheapest: never answer '${yes}'.` : `Cheapest threshold${by ? ` on the ${number(by.positives + by.negatives)} validation rows` : ''}: ${number(best.threshold, 4)}, at a cost of ${number(cost_at(best.threshold), 3)} a row of the ${number(all)} ${split} rows, ${by ? 'which did not choose it' : 'which chose it: expect a little more of new ones'}. `,
        best.threshold === null ? '' : h('button', { onclick: () => set(best.threshold) }, 'show'));
    };
    fp.addEventListener('input', costs); fn.addEventListener('input', costs);
    show(q.threshold); costs();
    const swept = curve.points.filter(p => p[0] !== null).map(p => ({ x: p[0], ...rates({ tp: p[1], fp: p[2], fn: curve.positives - p[1], tn: curve.negatives - p[2] }) }));
    return [
      card('Confusion', null, h('div', { class: 'controls' }, h('label', {}, `'${yes}' from a probability of`, at, slider)), spot),
      plot('Thresholds', by ? `The best F1 on the ${number(by.positives + by.negatives)} validation rows is at ${number(by.best_threshold, 3)}: ${number(q.choice.f1_here, 3)} on the ${split} rows, drawn here`
        : `Best F1, ${number(curve.best_f1, 3)}, at ${number(curve.best_threshold, 3)}, chosen and measured on the same rows`, () => lines(
        ['precision', 'recall', 'f1'].map(name => ({ label: name === 'f1' ? 'F1' : name, data: swept.filter(p => finite(p[name])).map(p => ({ x: p.x, y: p[name] })), pointRadius: 0 })),
        'threshold', '', { x: { min: 0, max: 1 }, y: { min: 0, max: 1 } })),
      card('Threshold for given costs', `What a wrong '${yes}' and a missed '${yes}' cost you`, h('div', { class: 'controls' }, h('label', {}, `a wrong '${yes}' costs`, fp), h('label', {}, `a missed one`, fn)), said,
        h('p', { class: 'about' }, 'The recipe takes a threshold as output_features: threshold.')),
      roc(q.curves), precision_recall(q.curves), calibration(q.curves, 'Of the rows with about this probability, the share that is so'), lift(q.curves)];
  }

  function category(q) {
    const some = q.curves.filter(c => c.of.positives > 0 && c.of.negatives > 0);
    const whole = card('Confusion', null, ...matrix(q.labels, q.confusion, 'Counts, and shares of each truth'));
    if (q.labels.length > 4) whole.classList.add('whole');
    return [whole, card('Classes', null, class_table(q)), some.length ? roc(some) : null, some.length ? precision_recall(some) : null,
      calibration([{ label: 'answers', of: q.confidence }], "Of the answers that are as sure, the share that is right"), some.length ? lift(some) : null];
  }

  function numeric(q, rows) {
    const of = q.number.sampled < rows ? `${number(q.number.sampled)} sampled rows of ${number(rows)}` : `all ${number(rows)} rows`;
    const n = q.number, low = Math.min(...n.pairs.map(p => p[0])), high = Math.max(...n.pairs.map(p => p[0]));
    const middle = n.counts.map((_, i) => (n.edges[i] + n.edges[i + 1]) / 2);
    return [
      plot('Predicted and true', `${n.pairs.length < rows ? `${number(n.pairs.length)} sampled rows of ${number(rows)}` : `All ${number(rows)} rows`}; on the line the answer is the truth`, () => ({ type: 'scatter', data: { datasets: [
        { label: 'rows', data: n.pairs.map(p => ({ x: p[0], y: p[1] })), backgroundColor: Report.faint(Report.series(0), '99'), pointRadius: 2.5 },
        { label: 'perfect', type: 'line', data: [{ x: low, y: low }, { x: high, y: high }], borderColor: Report.colour('muted'), borderDash: [4, 4], borderWidth: 1, pointRadius: 0 }] },
        options: { scales: { x: Report.axis('truth'), y: Report.axis('answer') }, plugins: { legend: { display: false } } } })),
      plot('Residuals', `Answer less truth, of ${of}; the outermost bars hold all beyond`, () => bars(middle.map(m => number(m, 3)), [{ data: n.counts, barPercentage: 1, categoryPercentage: 0.95 }], 'residual', 'rows')),
      plot('Error by size of the truth', `Each point a tenth of ${of}`, () => lines([
        { label: 'mean absolute error', data: n.tenths.map(t => ({ x: t[0], y: t[2] })) }, { label: 'mean error (bias)', data: n.tenths.map(t => ({ x: t[0], y: t[1] })) }], 'truth', 'error')),
      card('How far off', `The answer is within this distance of the truth, of ${of}`, table([{ n: 'share of the rows' }, { n: 'distance' }], n.quantiles.map(([share, d]) => [percent(share, 0), number(d)])))];
  }

  const parts = q => q.type === 'set'
    ? [card('Words', 'Of the commonest', table(['word', { n: 'rows' }, { n: 'precision' }, { n: 'recall' }], q.parts.map(p => [p.label, number(p.truths), number(p.both / p.answers), number(p.both / p.truths)])))]
    : [plot('Error by place', null, () => bars(q.parts.map(p => p.label), [{ data: q.parts.map(p => p.mean_absolute_error) }], 'place', 'mean absolute error'))];

  function subgroups(q) {
    const columns = [...new Set(q.subgroups.map(g => g.column))];
    if (!columns.length) return null;
    const head = { number: [['mean absolute error', 'mean_absolute_error'], ['bias', 'mean_error']], binary: [['accuracy', 'accuracy'], ['are so', 'share_true'], ['answered so', 'share_answered_true'], ['recall', 'recall']], category: [['accuracy', 'accuracy']] }[q.type] || [['loss', 'loss']];
    const [, key] = head[0], rows_of = column => q.subgroups.filter(g => g.column === column);
    // Worse than all by more than chance would make of so few rows.
    const all = q.subgroups.filter(g => g.column === columns[0]), total = all.reduce((sum, g) => sum + g.rows, 0);
    const mean = all.reduce((sum, g) => sum + g.rows * g[key], 0) / total;
    const worse = g => key === 'accuracy' ? g.rows >= 20 && mean - g.accuracy > Math.max(0.03, 3 * Math.sqrt(mean * (1 - mean) / g.rows)) : g.rows >= 20 && g[key] > 1.5 * mean;
    const body = h('div', {});
    const show = column => body.replaceChildren(table([column, { n: 'rows' }, ...head.map(([name]) => ({ n: name }))], rows_of(column).map(g => [g.value, number(g.rows),
      ...head.map(([, k], i) => h('td', { class: 'n' + (i === 0 && worse(g) ? ' bad' : '') }, q.type === 'number' || k === 'loss' ? number(g[k]) : percent(g[k])))])));
    const order = [...columns].sort((a, b) => rows_of(b).filter(worse).length - rows_of(a).filter(worse).length);
    show(order[0]);
    const whole = card('Subgroups', 'Of each value of a column; red where it is worse than chance would make it (all rows: ' + (key === 'accuracy' ? percent(mean) : number(mean)) + ')', h('div', { class: 'controls' },
      Report.choice('column', order.map(c => [c, c + (rows_of(c).some(worse) ? ' ●' : '')]), show)), body);
    whole.classList.add('whole');
    return whole;
  }

  const shown = cell => cell.startsWith('data:image/') ? h('img', { class: 'thumb', src: cell, alt: 'the picture' }) : cell;
  function mistakes(q, quality) {
    if (!q.mistakes.length) return null;
    const placed = q.mistakes.every(m => m.table_row > 0);
    const sure = q.mistakes.some(m => finite(m.probability));
    const whole = card('The worst mistakes', (quality.split === 'out-of-fold' ? 'Rows of the table, from 1' : `Rows of the ${quality.split} split, numbered as predictions.csv has them`) + ', as the model saw them', table(
      [{ n: 'row' }, ...(placed ? [{ n: 'of the table' }] : []), 'truth', 'answer', ...(sure ? [{ n: 'sure' }] : []), { n: q.type === 'number' ? 'distance' : 'loss' }, ...quality.columns],
      q.mistakes.map(m => [number(m.row), ...(placed ? [number(m.table_row)] : []), m.truth, m.answer, ...(sure ? [percent(m.probability, 0)] : []), number(m.badness, 3), ...m.cells.map(shown)])));
    whole.classList.add('whole');
    whole.querySelector('.scroll').classList.add('long');
    return whole;
  }

  Report.section('quality', 'Quality', (facts, all) => {
    const quality = facts.quality;
    if (!quality || all.length > 1) return null;
    return [h('p', { class: 'muted' }, facts.folds ? `Of ${number(quality.rows)} rows, each answered by the model of the fold that was not trained on it` + (facts.folds.pooled < facts.folds.count ? `; of ${facts.folds.pooled} of ${facts.folds.count} folds` : '') + '. Curves are pooled from the points that each fold kept.' : `Of the ${number(quality.rows)} ${quality.split} rows.`), ...quality.outputs.flatMap(q => [
      quality.outputs.length > 1 ? h('h4', {}, `${q.name} (${q.type})`) : null,
      h('div', { class: 'grid' }, ...(q.type === 'binary' ? binary(q, quality.split) : q.type === 'category' ? category(q) : q.type === 'number' ? numeric(q, quality.rows) : parts(q)).filter(Boolean), subgroups(q), mistakes(q, quality))])].filter(Boolean);
  });
})();
