#include <algorithm>
#include <cmath>

#include "report/facts.h"
#include "report/json_text.h"
#include "task/metric_table.h"

namespace shoestring::report {
namespace {

void add(JsonText& json, const ScoreCurves& c) {
  json.open('{').member("positives", c.positives).member("negatives", c.negatives);
  json.member("roc_auc", c.roc_auc).member("average_precision", c.average_precision).member("brier", c.brier);
  json.member("calibration_error", c.calibration_error);
  json.member("best_threshold", c.best_threshold).member("best_f1", c.best_f1);
  json.member("doubted_positives", c.doubted_positives).member("doubted_negatives", c.doubted_negatives);
  json.key("points").open('[');  // threshold, true positives, false positives
  for (const auto& p : c.points)
    json.open('[').value(p.threshold).value(p.true_positives).value(p.false_positives).close(']');
  json.close(']').key("calibration").open('[');  // mean score, share true, rows
  for (const auto& b : c.calibration)
    json.open('[').value(b.mean_score).value(b.share_true).value(b.rows).close(']');
  json.close(']').key("lift").open('[');  // share of the rows, of the positives
  for (const auto& p : c.lift) json.open('[').value(p.share_of_rows).value(p.share_of_positives).close(']');
  json.close(']').close('}');
}

void add(JsonText& json, const NumberQuality& n) {
  json.open('{').member("sampled", n.sampled).key("pairs").open('[');  // truth, answer
  for (const auto& p : n.pairs) json.open('[').value(p.truth).value(p.answer).close(']');
  json.close(']').member("edges", n.edges).member("counts", n.counts);
  json.key("quantiles").open('[');
  for (size_t i = 0; i < n.quantiles.size(); ++i)
    json.open('[').value(NumberQuality::kQuantiles[i]).value(n.quantiles[i]).close(']');
  json.close(']').key("tenths").open('[');  // truth, mean error, mean absolute error, rows
  for (const auto& t : n.tenths)
    json.open('[').value(t.truth).value(t.mean_error).value(t.mean_absolute_error).value(t.rows).close(']');
  json.close(']').close('}');
}

void add(JsonText& json, const OutputQuality& q) {
  json.open('{').member("name", q.name).member("type", name_of(q.type));
  if (q.type == task::FeatureType::binary) json.member("threshold", q.threshold);
  json.member("labels", q.labels).member("confusion", q.confusion);
  json.key("curves").open('[');
  for (const auto& c : q.curves) {
    json.open('{').member("label", c.label).key("of");
    add(json, c.curves);
    json.close('}');
  }
  json.close(']');
  if (const auto& choice = q.choice) {
    add(json.key("choice").open('{').key("of"), choice->curves);
    json.member("f1", choice->f1).member("f1_here", choice->f1_here).close('}');
  }
  if (q.confidence) add(json.key("confidence"), *q.confidence);
  if (q.number) add(json.key("number"), *q.number);
  json.key("parts").open('[');
  for (const auto& p : q.parts) {
    json.open('{').member("label", p.label).member("mean_absolute_error", p.mean_absolute_error);
    json.member("truths", p.truths).member("answers", p.answers).member("both", p.both).close('}');
  }
  json.close(']').key("subgroups").open('[');
  for (const auto& g : q.subgroups) {
    json.open('{').member("column", g.column).member("value", shortened(g.value)).member("rows", g.rows);
    json.member("loss", g.loss);
    if (q.type == task::FeatureType::number)
      json.member("mean_error", g.mean_error).member("mean_absolute_error", g.mean_absolute_error);
    else
      json.member("accuracy", g.accuracy);
    if (q.type == task::FeatureType::binary)
      json.member("share_true", g.share_true)
          .member("share_answered_true", g.share_answered_true)
          .member("recall", g.recall);
    json.close('}');
  }
  json.close(']').key("mistakes").open('[');
  for (const auto& m : q.mistakes) {
    json.open('{')
        .member("row", m.row)
        .member("table_row", m.table_row)
        .member("badness", m.badness)
        .member("truth", m.truth);
    json.member("answer", m.answer).member("probability", m.probability).member("cells", m.cells).close('}');
  }
  json.close(']').close('}');
}

void add(JsonText& json, const Quality& q) {
  json.open('{').member("split", q.split).member("rows", q.rows).member("columns", q.columns);
  json.key("outputs").open('[');
  for (const auto& output : q.outputs) add(json, output);
  json.close(']').close('}');
}

void add(JsonText& json, const TrainingFacts& t) {
  json.open('{').member("steps", t.steps).member("learning_rate", t.learning_rate);
  json.member("gradient_norm", t.gradient_norm).key("series").open('[');
  for (const auto& s : t.series)
    json.open('{').member("name", s.name).member("split", s.split).member("values", s.values).close('}');
  json.close(']').member("speed_steps", t.speed_steps).member("samples_per_second", t.samples_per_second);
  json.member("best_step", t.best_step).close('}');
}

void add(JsonText& json, const std::vector<Finding>& findings) {
  constexpr std::string_view kSeverity[] = {"good", "note", "warning", "problem"};
  json.open('[');
  for (const auto& f : findings) {
    json.open('{')
        .member("severity", kSeverity[static_cast<size_t>(f.severity)])
        .member("subject", f.subject);
    json.member("title", f.title).member("evidence", f.evidence).member("remedy", f.remedy).close('}');
  }
  json.close(']');
}

void add(JsonText& json, const ColumnFacts& c) {
  json.open('{').member("name", c.name).member("type", c.type).member("missing", c.missing);
  if (c.distinct > 0) json.member("distinct", c.distinct);
  if (std::isfinite(c.minimum))
    json.member("minimum", c.minimum).member("maximum", c.maximum).member("mean", c.mean);
  if (!c.edges.empty()) json.member("edges", c.edges);
  if (!c.labels.empty()) json.member("labels", c.labels);
  const auto lists = [&](std::string_view name, const std::vector<std::vector<double>>& all) {
    json.key(name).open('[');
    for (const auto& one : all) {
      json.open('[');
      for (const double v : one) json.value(name == "shares" ? std::round(v * 1e4) / 1e4 : v);
      json.close(']');
    }
    json.close(']');
  };
  lists("shares", c.shares);
  lists("relation", c.relation);
  if (!std::isnan(c.outside)) json.member("outside", c.outside).member("shift", c.shift);
  json.member("strength", c.strength).member("drift", c.drift).close('}');
}

// Whether more of a metric is better.
bool maximised(const Facts& facts, const std::string& output, std::string_view metric) {
  const auto type = std::ranges::find(facts.outputs, output, [](const auto& o) { return o.first; });
  for (const auto t : {task::FeatureType::number, task::FeatureType::binary, task::FeatureType::category,
                       task::FeatureType::vector, task::FeatureType::set})
    if (type != facts.outputs.end() && name_of(t) == type->second)
      if (const auto* info = task::find_metric(t, metric)) return info->maximise;
  return false;
}

void add(JsonText& json, const FoldsFacts& folds, const Facts& facts) {
  json.open('{').member("count", folds.count).member("pooled", folds.pooled).key("metrics").open('[');
  for (const auto& m : folds.values) {
    json.open('{').member("output", m.output).member("metric", m.name);
    json.member("maximise", maximised(facts, m.output, m.name)).member("mean", m.mean);
    json.member("deviation", m.deviation).member("folds", m.of_fold).close('}');
  }
  json.close(']').key("runs").open('[');
  for (const auto& r : folds.runs) {
    json.open('{').member("rows", r.rows).member("ending", r.ending).member("steps", r.steps);
    json.member("planned_bytes", r.planned_bytes).member("peak_bytes", r.peak_bytes);
    json.member("planned_seconds", r.planned_seconds).member("took_seconds", r.took_seconds).close('}');
  }
  json.close(']').close('}');
}

// A table: a row for each metric, a value for each split.
void add_metrics(JsonText& json, const Facts& facts) {
  json.open('{').key("splits").open('[');
  for (const auto& [split, metrics] : facts.metrics)
    json.open('{').member("name", split).member("rows", metrics.rows).close('}');
  json.close(']').key("rows").open('[');
  const auto row = [&](const std::string& output, std::string_view metric, bool maximise) {
    json.open('{').member("output", output).member("metric", metric).member("maximise", maximise);
    json.key("values").open('[');
    for (const auto& [split, metrics] : facts.metrics) json.value(metrics.value(output, metric));
    json.close(']').close('}');
  };
  if (!facts.metrics.empty())
    for (const auto& output : facts.metrics.front().second.outputs)
      for (const auto& [metric, value] : output.values)
        row(output.name, metric, maximised(facts, output.name, metric));
  if (facts.outputs.size() > 1) row(std::string(task::kCombined), "loss", false);
  json.close(']').close('}');
}

void add_features(JsonText& json, const std::vector<std::pair<std::string, std::string>>& features) {
  json.open('[');
  for (const auto& [name, type] : features)
    json.open('{').member("name", name).member("type", type).close('}');
  json.close(']');
}

}  // namespace

std::string to_json(const Facts& facts) {
  JsonText json;
  json.open('{').member("format", kFormat).member("title", facts.title).member("made", facts.made);
  json.member("program", facts.program).member("files", facts.files).member("rows", facts.rows);
  json.key("split_rows").open('[');
  for (const auto& [split, rows] : facts.split_rows)
    json.open('{').member("name", split).member("rows", rows).close('}');
  json.close(']');
  add_features(json.key("inputs"), facts.inputs);
  add_features(json.key("outputs"), facts.outputs);
  add_metrics(json.key("metrics"), facts);
  json.member("remarks", facts.remarks);
  if (const auto& run = facts.run) {
    json.key("run").open('{').member("ending", run->ending).member("steps", run->steps);
    json.member("skipped", run->skipped).member("parameters", run->parameters).member("seed", run->seed);
    json.member("seconds", run->seconds).member("samples_per_second", run->samples_per_second).close('}');
  }
  if (const auto& plan = facts.plan) {
    json.key("plan").open('{').key("ledger").raw(plan->ledger).key("times").raw(plan->times);
    json.member("peak_bytes", plan->peak_bytes);
    json.member("planned_usd", plan->planned_usd).member("spent_usd", plan->spent_usd);
    json.member("planned_wh", plan->planned_wh).member("spent_wh", plan->spent_wh).close('}');
  }
  if (facts.folds) add(json.key("folds"), *facts.folds, facts);
  if (const auto& e = facts.evaluation) {
    json.key("evaluation").open('{').key("memory").open('[');
    for (const auto& line : e->memory)
      json.open('{').member("name", line.name).member("bytes", line.bytes).close('}');
    json.close(']').member("peak_bytes", e->peak_bytes).member("reading_seconds", e->reading_seconds);
    json.member("answering_seconds", e->answering_seconds).member("formula_seconds", e->formula_seconds);
    json.member("rows", e->rows).member("rows_at_once", e->rows_at_once).close('}');
  }
  if (facts.training) add(json.key("training"), *facts.training);
  if (facts.quality) add(json.key("quality"), *facts.quality);
  json.member("classes", facts.classes).key("columns").open('[');
  for (const auto& column : facts.columns) add(json, column);
  json.close(']');
  if (const auto& d = facts.duplicates) {
    json.key("duplicates")
        .open('{')
        .member("training_rows", d->training_rows)
        .member("repeated", d->repeated);
    json.member("held_out", d->held_out)
        .member("seen", d->seen)
        .member("contradicted", d->contradicted)
        .close('}');
  }
  json.key("sampled_rows").open('[');
  for (const auto& [split, rows] : facts.sampled_rows)
    json.open('{').member("name", split).member("rows", rows).close('}');
  json.close(']').member("importance_rows", facts.importance_rows);
  json.key("importance").open('[');
  for (const auto& i : facts.importance)
    json.open('{')
        .member("column", i.column)
        .member("more_loss", i.more_loss)
        .member("deviation", i.deviation)
        .close('}');
  json.close(']').key("learning_curve").open('[');
  for (const auto& p : facts.learning_curve) {
    json.open('{').member("rows", p.rows).member("training_loss", p.training_loss);
    json.member("held_out_loss", p.held_out_loss).member("held_out_metric", p.held_out_metric).close('}');
  }
  json.close(']').member("learning_metric", facts.learning_metric).member("full_note", facts.full_note);
  add(json.key("data_findings"), facts.data_findings);
  add(json.key("diagnosis"), facts.diagnosis);
  return json.close('}').take();
}

}  // namespace shoestring::report
