//! What can be said only when the whole submission was read.

use std::collections::BTreeMap;

use falx_core::{LABELS, Label, SUBTYPES};

use super::finding::{EXAMPLES, Problem};
use super::sample::NOWHERE;
use super::scan::Scanner;
use crate::kaggle::KNOWN_DUPLICATES;
use crate::kaggle::lines::Ending;
use crate::kaggle::row::clip;
use crate::text::thousands;

/// Rows of the competition's own files, RSNA's duplicates included.
const KNOWN_SIZES: [(u64, &str); 4] = [
    (471_270, "stage 1's test"),
    (727_392, "stage 2's test"),
    (4_045_572, "stage 1's training set"),
    (4_516_842, "stage 2's training set"),
];

pub(super) fn finish(s: &mut Scanner<'_>) {
    if s.rows == 0 {
        s.tally.add(Problem::NoRows, 1, String::new);
    }
    size(s);
    endings(s);
    missing(s);
    repeats(s);
    s.spread.settle(&mut s.values, &mut s.tally);
    any(s);
}

fn size(s: &mut Scanner<'_>) {
    let (rows, expected) = (s.rows, s.sample.rows);
    let known = |n: u64| KNOWN_SIZES.iter().find(|(size, _)| *size == n);
    let named = |n: u64| known(n).map_or_else(String::new, |(_, name)| format!(", as {name} has"));
    let far = rows.abs_diff(expected) > expected / 10;
    let other = known(rows).is_some() && rows != expected;
    if rows > 0 && (far || other) {
        s.tally.add(Problem::OtherSize, 1, || {
            format!(
                "{} rows{}; the sample has {}{}",
                thousands(rows),
                named(rows),
                thousands(expected),
                named(expected)
            )
        });
    }
    if s.seen.iter().all(|&seen| seen == 0) && s.tally.count(Problem::Extra) > 0 {
        s.tally.add(Problem::OtherImages, 1, String::new);
    }
}

fn endings(s: &mut Scanner<'_>) {
    const NAMES: [&str; 3] = [
        "line feed",
        "carriage return and line feed",
        "carriage return",
    ];
    let used: Vec<(usize, u64)> = s
        .endings
        .iter()
        .enumerate()
        .filter_map(|(i, first)| Some((i, (*first)?)))
        .collect();
    let wrong = used.len() > 1 || s.endings[2].is_some();
    for &(i, line) in used.iter().filter(|_| wrong) {
        let name = NAMES.get(i).copied().unwrap_or_default();
        s.tally
            .add(Problem::LineEndings, line, || format!("first {name}"));
    }
    let same = match s.sample.ending {
        Ending::Lf => s.endings[1].is_none(),
        Ending::CrLf => s.endings[0].is_none(),
        Ending::Cr | Ending::File => true,
    };
    if !wrong && !same {
        let name = used.first().and_then(|&(i, _)| NAMES.get(i)).copied();
        s.tally.add(Problem::OtherLineEndings, 1, || {
            name.unwrap_or_default().to_owned()
        });
    }
}

/// An image that lacks rows: the sample's place of the first one, the image, and the labels.
type Gap = (u32, u32, Vec<Label>);

fn missing(s: &mut Scanner<'_>) {
    let (mut whole, mut part): (Vec<Gap>, Vec<Gap>) = (Vec::new(), Vec::new());
    for (number, (places, &seen)) in (0..).zip(s.sample.places.iter().zip(&s.seen)) {
        let lacking =
            |label: &Label| places[label.index()] != NOWHERE && seen & (1 << label.index()) == 0;
        let labels: Vec<Label> = LABELS.into_iter().filter(lacking).collect();
        let first = labels.iter().map(|label| places[label.index()]).min();
        if let Some(first) = first {
            let list = if seen == 0 { &mut whole } else { &mut part };
            list.push((first, number, labels));
        }
    }
    whole.sort_unstable_by_key(|&(first, ..)| first);
    part.sort_unstable_by_key(|&(first, ..)| first);
    let shown: Vec<u32> = [&whole, &part]
        .iter()
        .flat_map(|list| list.iter().take(EXAMPLES).map(|gap| gap.1))
        .collect();
    let names = s.sample.names(&shown);
    let name = |number| names.get(&number).copied().unwrap_or_default();
    for (_, number, labels) in whole {
        for label in labels {
            let place = u64::from(s.sample.place(number, label));
            s.tally.add(Problem::Missing, place + 2, || {
                clip(&format!("{}_{label}", name(number)))
            });
        }
    }
    for (first, number, labels) in part {
        s.tally.add(Problem::Incomplete, u64::from(first) + 2, || {
            let labels: Vec<&str> = labels.iter().map(|label| label.name()).collect();
            format!("{} lacks {}", clip(name(number)), labels.join(", "))
        });
    }
}

fn repeats(s: &mut Scanner<'_>) {
    let repeated = &s.sample.repeated;
    let mut first: BTreeMap<u32, u64> = BTreeMap::new();
    for repeat in repeated {
        first.entry(repeat.image).or_insert(repeat.line);
    }
    let shown: Vec<u32> = first.keys().copied().collect();
    let names = s.sample.names(shown.get(..200).unwrap_or(&shown));
    for repeat in repeated {
        let name = names.get(&repeat.image).copied().unwrap_or_default();
        let known = if KNOWN_DUPLICATES.contains(&name) {
            " (known: RSNA's label files have this image twice)"
        } else {
            ""
        };
        let text = || clip(&format!("{name}_{}", repeat.label)) + known;
        s.tally.add(Problem::SampleRepeats, repeat.line, text);
    }
    // What the submission has not at all is missing already.
    for repeat in repeated {
        let seen = s.seen.get(repeat.image as usize).copied().unwrap_or(0);
        let Some(open @ 1..) = s.repeats.get_mut(&(repeat.image, repeat.label)) else {
            continue;
        };
        *open -= 1;
        if seen & (1 << repeat.label.index()) != 0 {
            let name = names.get(&repeat.image).copied().unwrap_or_default();
            s.tally.add(Problem::RepeatsLeftOut, repeat.line, || {
                clip(&format!("{name}_{}", repeat.label))
            });
        }
    }
}

fn any(s: &mut Scanner<'_>) {
    let mut low: Vec<(u64, f64, Label, f64)> = Vec::new();
    for (values, &line) in s.values.iter().zip(&s.any_lines) {
        let any = values[Label::Any.index()];
        // A comparison with NaN (no valid value) is false, so only complete pairs are judged.
        let highest = SUBTYPES
            .into_iter()
            .map(|s| (s, values[s.index()]))
            .filter(|(_, p)| any < *p)
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((subtype, p)) = highest {
            low.push((line, any, subtype, p));
        }
    }
    low.sort_unstable_by_key(|&(line, ..)| line);
    for (line, any, subtype, p) in low {
        s.tally.add(Problem::AnyBelowSubtype, line, || {
            format!("any {any} < {subtype} {p}")
        });
    }
}
