// What a full report has besides: how much each column matters, and what more rows would bring.
(() => {
  const { h, plot, bars, lines, number } = Report;
  Report.section('importance', 'Importance', (facts, all) => {
    if (all.length > 1 || !(facts.importance.length || facts.learning_curve.length || facts.full_note)) return null;
    const cards = [], top = facts.importance.slice(0, 25);
    if (top.length) cards.push(plot('Importance of columns', `How much the loss grows once a column is shuffled among ${number(facts.importance_rows)} sampled rows; the mean of three shuffles`, () => {
      const config = bars(top.map(i => i.column), [{ data: top.map(i => i.more_loss) }], 'more loss', '', { across: true, y: { ticks: { autoSkip: false } } });
      config.options.plugins.tooltip = { callbacks: { label: c => number(top[c.dataIndex].more_loss, 3) + ' ± ' + number(top[c.dataIndex].deviation, 2) } };
      return config;
    }, top.length > 10 ? 'tall' : ''));
    const curve = facts.learning_curve;
    if (curve.length > 1) cards.push(plot('Learning curve', 'The same recipe on fewer training rows', () => lines([
      { label: 'loss of the training rows', data: curve.map(p => ({ x: p.rows, y: p.training_loss })) }, { label: 'loss of held-out rows', data: curve.map(p => ({ x: p.rows, y: p.held_out_loss })) }], 'training rows', 'loss')),
    plot('Learning curve: ' + facts.learning_metric, 'On held-out rows', () => lines([{ label: facts.learning_metric, data: curve.map(p => ({ x: p.rows, y: p.held_out_metric })), colour: Report.series(1) }], 'training rows', facts.learning_metric)));
    return [facts.full_note ? h('p', { class: 'muted' }, facts.full_note) : null, h('div', { class: 'grid' }, cards)].filter(Boolean);
  });
})();
