// How the model learned: each finding with its evidence.
(() => {
  const { h, card, findings } = Report;
  Report.section('diagnosis', 'Diagnosis', (facts, all) => all.length > 1 || !facts.diagnosis.length ? null : [card(null, null, ...findings(facts.diagnosis))]);
})();
