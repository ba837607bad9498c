// What was tried against overfitting or unbalanced classes, and both results.
(() => {
  const { h, card, table, number } = Report;
  Report.section('remedy', 'Remedies', (facts, all) => {
    const r = facts.remedy;
    if (all.length > 1 || !r) return null;
    const tried = r.tried.map(t => [t.change, t.reason, number(t.validation_before), t.fault ? t.fault : number(t.validation_after), t.kept ? 'kept' : 'not kept']);
    const cards = [card('Tried', `${r.metric} of '${r.output}' on the validation rows, which choose; ${r.maximise ? 'more' : 'less'} is better.`,
      tried.length ? table(['change', 'why', { n: 'before' }, { n: 'after' }, ''], tried) : h('p', {}, 'Nothing was tried.'),
      r.no_time_for.length ? h('p', {}, 'There was no time for ' + r.no_time_for.join(', ') + '.') : null)];
    const before = r.before.test && r.before.test[r.output], after = r.after.test && r.after.test[r.output];
    if (r.tried.some(t => t.kept) && before && after)
      cards.push(card('On the test rows', 'Which chose nothing. The first model is in before_remedy/.',
        table(['metric', { n: 'before' }, { n: 'after' }], Object.keys(after).map(name => [name, number(before[name]), number(after[name])]))));
    return cards;
  });
})();
