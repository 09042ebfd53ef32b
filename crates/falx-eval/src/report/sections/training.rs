//! How the run learnt.

use maud::html;

use super::super::{TrainingCurve, charts};
use super::Section;

pub(super) fn section(curves: &[TrainingCurve]) -> Option<Section> {
    let mut groups: Vec<Vec<&TrainingCurve>> = Vec::new();
    for curve in curves {
        let word = charts::last_word(&curve.name);
        let shares = |g: &&mut Vec<&TrainingCurve>| {
            g.first()
                .is_some_and(|c| charts::last_word(&c.name) == word)
        };
        match groups.iter_mut().find(shares) {
            Some(group) => group.push(curve),
            None => groups.push(vec![curve]),
        }
    }
    (!groups.is_empty()).then(|| Section {
        id: "training",
        title: "Training",
        body: html! { div class="charts" { @for group in &groups { (charts::training(group)) } } },
    })
}
