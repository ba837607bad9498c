// Overview and plan: what was found at a glance; what the run was to take, and what it took.
(() => {
  const { h, table, card, tile, plot, bars, number, bytes, seconds, usd, percent, finite } = Report;

  Report.section('overview', 'Overview', (facts, all) => {
    if (all.length > 1 || facts.folds) return null;
    const held = facts.metrics.splits.length - 1;
    const main = facts.outputs.flatMap(output => {
      const rows = facts.metrics.rows.filter(r => r.output === output.name);
      const wanted = { binary: ['roc_auc', 'accuracy'], category: ['accuracy'], number: ['r2', 'mean_absolute_error'], set: ['jaccard'], vector: ['mean_absolute_error'] }[output.type] || [];
      return wanted.map(m => rows.find(r => r.metric === m)).filter(Boolean);
    }).slice(0, 4);
    const run = facts.run, plan = facts.plan;
    const tiles = main.map(r => tile(r.metric + (facts.outputs.length > 1 ? ' of ' + r.output : ''), Report.metric(r.values[held]), facts.metrics.splits[held].name + ' rows'));
    tiles.push(tile('rows', number(facts.rows), facts.split_rows.filter(s => s.rows > 0).map(s => number(s.rows) + ' ' + s.name).join(', ')));
    if (run) tiles.push(tile('training', seconds(run.seconds), number(run.steps) + ' steps, ' + run.ending), tile('speed', number(run.samples_per_second, 3), 'samples/s'),
      tile('parameters', number(run.parameters)));
    if (plan) tiles.push(tile('memory', bytes(plan.peak_bytes), 'of ' + bytes(plan.ledger.memory.total_bytes) + ' planned'));
    const shown = [...facts.diagnosis, ...facts.data_findings].filter(f => f.severity === 'problem' || f.severity === 'warning');
    const values = row => row.values.map(v => Report.metric(v));
    return [h('div', { class: 'tiles' }, tiles),
      shown.length ? card('What to look at first', null, ...Report.findings(shown.slice(0, 5))) : null,
      h('div', { style: 'height:14px' }),
      card('Metrics', 'Of the best model' + (facts.metrics.splits.length > 1 ? ', on the rows it was trained on and on rows it never saw' : '') + facts.metrics.splits.map(s => ({ s, all: facts.split_rows.find(a => a.name === s.name) })).filter(({ s, all }) => all && s.rows < all.rows)
        .map(({ s, all }) => `. Of the ${number(all.rows)} ${s.name} rows ${number(s.rows)} were measured, as the time was short`).join(''),
        table([...(facts.outputs.length > 1 ? ['output'] : []), 'metric', ...facts.metrics.splits.map(s => ({ n: s.name }))],
          [...facts.metrics.rows.map(r => [...(facts.outputs.length > 1 ? [r.output] : []), Report.name(r.metric), ...values(r)]),
            [...(facts.outputs.length > 1 ? [''] : []), 'rows', ...facts.metrics.splits.map(s => number(s.rows))]])),
      facts.diagnosis.length ? null : h('div', {}, facts.remarks.map(text => h('p', {}, text)))].filter(Boolean);
  });

  // An evaluation has no budget; what its parts hold is known all the same.
  function evaluation(e) {
    return [h('div', { class: 'grid' },
      card('What it took', `${number(e.rows)} rows, ${number(e.rows_at_once)} at a time`, table(['', { n: 'by the formula' }, { n: 'actual' }], [
        ['reading and preprocessing', '–', seconds(e.reading_seconds)],
        ['answering', seconds(e.formula_seconds), seconds(e.answering_seconds)],
        ['rows/s answered', number(e.rows / e.formula_seconds, 3), number(e.rows / e.answering_seconds, 3)]]),
      h('p', { class: 'about' }, 'The formula has the network alone; answering also gathers rows, sums metrics and writes answers.')),
      card('Memory', 'What its parts hold, and what the process held at most', table(['', { n: 'bytes' }],
        [...e.memory.map(l => [l.name, bytes(l.bytes)]), ['the whole process, at its peak', bytes(e.peak_bytes)]])))];
  }

  Report.section('plan', 'Plan', (facts, all) => {
    if (facts.evaluation && all.length === 1) return evaluation(facts.evaluation);
    const plan = facts.plan;
    if (!plan || all.length > 1) return null;
    const memory = plan.ledger.memory, times = plan.times;
    const sorted = memory.lines.filter(l => l.bytes > 0).sort((a, b) => b.bytes - a.bytes);
    const large = sorted.filter((l, i) => i < 12 && l.bytes > memory.total_bytes / 500), rest = sorted.slice(large.length);
    const lines = rest.length > 1 ? [...large, { name: rest.length + ' smaller ones', bytes: rest.reduce((sum, l) => sum + l.bytes, 0), certainty: rest.map(l => l.name).join(', ') }] : sorted;
    const certainty = { exact: 0, cap: 4, measured: 2, bound: 3 };
    const stages = Object.entries(times.stages).filter(([, s]) => s.planned_p50 + s.took > 0);
    const rows = [['memory', bytes(memory.total_bytes), bytes(plan.peak_bytes), percent(plan.peak_bytes / memory.total_bytes, 0)],
      ['time', seconds(times.planned_seconds), seconds(times.took_seconds), percent(times.took_seconds / times.planned_seconds, 0)]];
    if (finite(plan.planned_usd)) rows.push(['money', usd(plan.planned_usd), usd(plan.spent_usd), percent(plan.spent_usd / plan.planned_usd, 0)]);
    if (finite(plan.planned_wh)) rows.push(['energy', number(plan.planned_wh, 3) + ' Wh', number(plan.spent_wh, 3) + ' Wh', percent(plan.spent_wh / plan.planned_wh, 0)]);
    const apart = memory.stages.filter(s => !s.apart);
    return [h('div', { class: 'grid' },
      card('Planned and actual', (finite(times.limit_seconds) ? 'The time was limited to ' + seconds(times.limit_seconds) + '. ' : '') +
        'What binds: ' + plan.ledger.binding + '.', table(['', { n: 'planned' }, { n: 'actual' }, { n: 'share' }], rows),
      plan.ledger.priced_as ? h('p', { class: 'about' }, 'Money as on ' + plan.ledger.priced_as + '. On ' + plan.ledger.machine.name + '.') : h('p', { class: 'about' }, 'On ' + plan.ledger.machine.name + '.'),
      times.shares_of_a_step ? h('p', { class: 'about' }, 'Of a training step ' + percent(times.shares_of_a_step.loading, 0) + ' is loading rows and ' +
        percent(times.shares_of_a_step.augmenting, 0) + ' augmenting pictures.') : null),
      plot('Where the time went', 'Seconds of each stage: planned (p50, p90) and taken', () => bars(stages.map(([name]) => name),
        [{ label: 'planned p50', data: stages.map(([, s]) => s.planned_p50), colour: Report.colour('c0') },
          { label: 'planned p90', data: stages.map(([, s]) => s.planned_p90), colour: Report.faint(Report.colour('c0'), '66') },
          { label: 'took', data: stages.map(([, s]) => s.took), colour: Report.colour('c1') }], 'seconds', '', { across: true, x: { beginAtZero: true }, y: { ticks: { autoSkip: false } } }), 'tall'),
      plot('The memory ledger', 'What the process holds at its peak, line by line: ' + bytes(memory.total_bytes) + '. Blue is exact, yellow a cap, green measured', () => {
        const config = bars(lines.map(l => l.name), [{ data: lines.map(l => l.bytes / 1048576), backgroundColor: lines.map(l => Report.series(certainty[l.certainty] ?? 6)) }],
          'MiB', '', { across: true, y: { ticks: { autoSkip: false } } });
        config.options.plugins.tooltip = { callbacks: { label: c => bytes(lines[c.dataIndex].bytes) + ', ' + lines[c.dataIndex].certainty } };
        return config;
      }, 'tall'),
      plot('Memory by stage', 'The peak of each part of the job, and what the process held at most', () => bars([...apart.map(s => s.name), 'actual peak'],
        [{ data: [...apart.map(s => s.bytes / 1048576), plan.peak_bytes / 1048576], backgroundColor: [...apart.map(() => Report.colour('c0')), Report.colour('c1')] }], 'MiB', '', { across: true, x: { beginAtZero: true }, y: { ticks: { autoSkip: false } } })),
      plan.ledger.choices.length ? card('What the planner changed', 'So that the budget holds, or of what was left to it',
        table(['change', 'its price', { n: 'saves' }], plan.ledger.choices.map(c => [c.change, c.price || '–', c.saved_bytes ? bytes(c.saved_bytes) : '–']))) : null,
      plan.ledger.ways_out.length ? card('Ways out', 'What would relax the budget',
        table(['change', 'gives', 'its price'], plan.ledger.ways_out.map(w => [w.change, w.gives, w.price || '–']))) : null)];
  });
})();
