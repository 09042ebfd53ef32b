//! How readers agree, and where the model stands among them.

use maud::{Markup, html};

use super::super::table;
use super::Section;
use crate::Evaluation;
use crate::operating::ChosenOn;
use crate::readers::{AgainstReference, ReaderAgreement, Readers};
use crate::text::{count, joined, percent, thousands, threshold, value};

/// Cases of a class below which a score is an indication only.
const FEW: u64 = 10;

pub(super) fn section(e: &Evaluation) -> Option<Section> {
    let r = e.readers.as_ref()?;
    let names: Vec<&str> = r.readers.iter().map(String::as_str).collect();
    let body = html! {
        p {
            (count(r.studies, "study")) " of " (count(r.patients, "patient")) " were read by " (joined(&names)) ". "
            "Kappa is agreement beyond chance: 0 is chance, 1 perfect. The model's prediction of a study is "
            (r.aggregation.words()) "; it answers at its locked threshold" (chosen(r)) ". Where it agrees with the readers as \
             well as they do with each other, the difference is near 0."
        }
        (agreement(r))
        (votes(r))
        (model(r))
        (pairs(r))
        (table::remarks(r.labels.iter().flat_map(|label| {
            label.notes.iter().map(|note| (label.label.name(), note.clone()))
        })))
    };
    Some(Section {
        id: "readers",
        title: "Readers",
        body,
    })
}

/// On whom the model's thresholds were chosen.
fn chosen(r: &Readers) -> String {
    let on = r.labels.iter().find_map(|l| l.model.as_ref()?.chosen_on);
    on.map_or_else(String::new, |on| format!(", {}", on.words()))
}

fn agreement(r: &Readers) -> Markup {
    let columns = [
        table::words("Label"),
        table::number("Fleiss’ kappa"),
        table::number("Krippendorff’s alpha"),
        table::number("Mean kappa of readers"),
        table::number("Mean kappa, model with readers"),
        table::number("Model less readers"),
    ];
    let rows: Vec<Vec<Markup>> = r
        .labels
        .iter()
        .map(|l| {
            let m = l.model.as_ref();
            let few = l.votes.all_positive.saturating_add(l.votes.split) < FEW;
            vec![
                table::cell(l.label.name()),
                table::estimate(l.all.fleiss_kappa.as_ref(), 3, few),
                table::estimate(l.all.krippendorff_alpha.as_ref(), 3, few),
                table::estimate(l.mean_kappa.as_ref(), 3, few),
                table::estimate(m.and_then(|m| m.mean_kappa_with_readers.as_ref()), 3, few),
                table::estimate(m.and_then(|m| m.difference.as_ref()), 3, few),
            ]
        })
        .collect();
    let caption = table::cell(
        "Agreement of the readers, and of the model with them. Small figures: 95 % intervals. ~: fewer than ten studies that \
         anybody called positive.",
    );
    table::table("Agreement of readers", &caption, &columns, &rows)
}

fn votes(r: &Readers) -> Markup {
    let columns = [
        table::words("Label"),
        table::number("All said no"),
        table::number("All said yes"),
        table::number("Of two minds"),
        table::number("Tied"),
        table::number("One reader"),
        table::number("Unread"),
    ];
    let rows: Vec<Vec<Markup>> = r
        .labels
        .iter()
        .map(|l| {
            let v = l.votes;
            let numbers = [
                v.all_negative,
                v.all_positive,
                v.split,
                v.tied,
                v.single,
                v.unread,
            ];
            std::iter::once(l.label.name().to_owned())
                .chain(numbers.map(thousands))
                .map(table::cell)
                .collect()
        })
        .collect();
    let caption =
        table::cell("Studies by how the votes fall; tied ones are among those of two minds.");
    table::folded("votes", &caption, &columns, &rows)
}

fn model(r: &Readers) -> Markup {
    let columns = [
        table::words("Label"),
        table::words("Taken as the truth"),
        table::number("Positive"),
        table::number("AUC"),
        table::number("Kappa"),
        table::number("Sensitivity"),
        table::number("Specificity"),
    ];
    let mut rows = Vec::new();
    for l in &r.labels {
        if let Some(m) = &l.model {
            let all = m.readers.iter().chain([&m.majority]);
            rows.extend(all.map(|a| against(l, a)));
        }
    }
    let of_folds = |l: &ReaderAgreement| {
        let model = l.model.as_ref();
        model.and_then(|m| m.chosen_on) == Some(ChosenOn::OtherFolds)
    };
    let cross_fitted = r.labels.iter().any(of_folds);
    let thresholds: Vec<String> = r
        .labels
        .iter()
        .filter_map(|l| Some((l.label, l.model.as_ref()?.threshold?)))
        .map(|(label, from)| format!("{label} from {}", threshold(from)))
        .collect();
    let caption = table::cell(
        "The model against each reader and against what most of them said. Small figures: 95 % intervals. ~: fewer than ten studies \
         of a class.",
    );
    html! {
        @if !rows.is_empty() {
            (table::table("The model against each reader", &caption, &columns, &rows))
            @if !thresholds.is_empty() { p class="how" {
                    "The model's yes: " (thresholds.join(", ")) "."
                    @if cross_fitted { " With folds these are of all patients, for new ones; each study is judged at its own fold's." }
                } }
        }
    }
}

fn against(l: &ReaderAgreement, a: &AgainstReference) -> Vec<Markup> {
    let few = a.positives.min(a.cases - a.positives) < FEW;
    vec![
        table::cell(l.label.name()),
        table::cell(&a.reference),
        table::cell(format!(
            "{} of {}",
            thousands(a.positives),
            thousands(a.cases)
        )),
        table::estimate(a.auc.as_ref(), 3, few),
        table::estimate(a.kappa.as_ref(), 3, few),
        table::share(a.sensitivity.as_ref()),
        table::share(a.specificity.as_ref()),
    ]
}

fn pairs(r: &Readers) -> Markup {
    let columns = [
        table::words("Label"),
        table::words("Readers"),
        table::number("Both yes"),
        table::number("One yes"),
        table::number("Both no"),
        table::number("Said the same"),
        table::number("Cohen’s kappa"),
        table::number("Adjusted kappa"),
    ];
    let mut rows = Vec::new();
    for l in &r.labels {
        for p in &l.pairs {
            let number = |n: f64| table::cell(thousands(n as u64));
            let same = p.agreement.map(|a| percent(a.value, 1));
            let adjusted = p.adjusted_kappa.map(|k| value(k, 3, false));
            let or_dash =
                |words: Option<String>| table::cell(words.unwrap_or_else(|| "–".to_owned()));
            rows.push(vec![
                table::cell(l.label.name()),
                table::cell(format!("{}, {}", p.first, p.second)),
                number(p.table.both),
                number(p.table.first + p.table.second),
                number(p.table.neither),
                or_dash(same),
                table::estimate(p.kappa.as_ref(), 3, false),
                or_dash(adjusted),
            ]);
        }
    }
    let caption = table::cell(
        "Each pair of readers. Adjusted: kappa as it were at even prevalence and without bias.",
    );
    html! {
        @if !rows.is_empty() { (table::folded("pairs of readers", &caption, &columns, &rows)) }
    }
}
