//! Geometry and scanners that are unlike the rest of the collection.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::Severity::{Note, Warning};
use super::findings::{Findings, Kind};
use super::survey::Survey;
use crate::index::IndexRow;

/// Robust standard deviations (1.4826 × the median absolute deviation) that are still usual.
const DEVIATIONS: f64 = 5.0;
/// The least robust deviation, as a natural logarithm: protocols differ by some 10 % without being odd.
const LEAST_DEVIATION: f64 = 0.1;
/// With fewer series there is no "usual".
const FEWEST_UNITS: usize = 10;
/// Slices below which a share of 1 % means nothing.
const FEWEST_SLICES: usize = 300;
/// A scanner with a smaller share of the slices is rare.
const RARE: f64 = 0.01;

struct Quantity {
    outlier: &'static str,
    implausible: &'static str,
    words: &'static str,
    plausible: RangeInclusive<f64>,
    of: fn(&IndexRow) -> Option<f64>,
}

const QUANTITIES: [Quantity; 3] = [
    Quantity {
        outlier: "series.spacing_outlier",
        implausible: "series.spacing_implausible",
        words: "distance between slices",
        plausible: 0.3..=10.0,
        of: |row| row.spacing_mm.map(|spacing| spacing.0),
    },
    Quantity {
        outlier: "series.thickness_outlier",
        implausible: "series.thickness_implausible",
        words: "slice thickness",
        plausible: 0.3..=10.0,
        of: |row| row.acquisition.as_ref()?.thickness_mm,
    },
    Quantity {
        outlier: "series.pixel_size_outlier",
        implausible: "series.pixel_size_implausible",
        words: "size of a pixel",
        plausible: 0.1..=2.0,
        of: |row| row.acquisition.as_ref()?.pixel_mm,
    },
];

/// Spacing, thickness and pixel size that cannot be, or are far from the collection's.
pub(super) fn geometry(survey: &Survey<'_>, findings: &mut Findings<'_>) {
    for quantity in &QUANTITIES {
        // A series has one protocol; its middle slice stands for it.
        let units: Vec<(f64, &[usize])> = survey
            .units()
            .filter_map(|rows| {
                let middle = rows.get(rows.len() / 2)?;
                Some(((quantity.of)(survey.row(*middle)?)?, rows))
            })
            .collect();
        let (plausible, odd): (Vec<_>, Vec<_>) = units
            .into_iter()
            .partition(|(value, _)| quantity.plausible.contains(value));
        implausible(quantity, odd, findings);
        outliers(quantity, plausible, findings);
    }
}

fn implausible(quantity: &Quantity, mut odd: Vec<(f64, &[usize])>, findings: &mut Findings<'_>) {
    odd.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (Some(most), Some(least)) = (odd.first(), odd.last()) else {
        return;
    };
    let what = format!(
        "The {} cannot be a head CT's: {}, where {} to {} mm are plausible.",
        quantity.words,
        span(least.0, most.0),
        quantity.plausible.start(),
        quantity.plausible.end()
    );
    let kind = Kind {
        name: quantity.implausible,
        severity: Warning,
        what: &what,
        remedy: "look at the files' geometry before using these series; export them again if it is wrong",
    };
    add_all(&kind, &odd, findings);
}

fn outliers(quantity: &Quantity, units: Vec<(f64, &[usize])>, findings: &mut Findings<'_>) {
    if units.len() < FEWEST_UNITS {
        return;
    }
    // Protocols differ by factors, so logarithms are compared.
    let middle = median(units.iter().map(|(value, _)| value.ln()).collect());
    let spread = median(units.iter().map(|(v, _)| (v.ln() - middle).abs()).collect());
    let limit = DEVIATIONS * (1.4826 * spread).max(LEAST_DEVIATION);
    let off = |value: f64| (value.ln() - middle).abs();
    let mut odd: Vec<_> = units
        .into_iter()
        .filter(|(value, _)| off(*value) > limit)
        .collect();
    odd.sort_by(|a, b| off(b.0).total_cmp(&off(a.0)));
    let values = odd.iter().map(|(value, _)| *value);
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let most = values.fold(0.0, f64::max);
    let what = format!(
        "The {} is unlike the collection's: {}, where {:.2} mm is the median and {:.2} to {:.2} mm are usual.",
        quantity.words,
        span(least, most),
        middle.exp(),
        (middle - limit).exp(),
        (middle + limit).exp()
    );
    let kind = Kind {
        name: quantity.outlier,
        severity: Note,
        what: &what,
        remedy: "look whether these series were taken for another purpose; a network sees them as smaller, larger or noisier heads",
    };
    add_all(&kind, &odd, findings);
}

fn add_all(kind: &Kind<'_>, units: &[(f64, &[usize])], findings: &mut Findings<'_>) {
    for (_, rows) in units {
        let (below, above) = rows.split_at(rows.len() / 2);
        for &at in above.iter().chain(below) {
            findings.add(kind, at);
        }
    }
}

fn span(least: f64, most: f64) -> String {
    if most - least < 0.005 {
        format!("{most:.2} mm")
    } else {
        format!("{least:.2} to {most:.2} mm")
    }
}

/// The middle of values; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Scanners and kernels that are rare, and tube voltages that differ.
pub(super) fn scanners(survey: &Survey<'_>, findings: &mut Findings<'_>) {
    let mut of_scanner: BTreeMap<[Option<&str>; 3], Vec<usize>> = BTreeMap::new();
    let mut of_voltage: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (at, row) in survey.usable() {
        let Some(taken) = row.acquisition.as_deref() else {
            continue;
        };
        let scanner = [&taken.manufacturer, &taken.model, &taken.kernel].map(Option::as_deref);
        if scanner.iter().any(Option::is_some) {
            of_scanner.entry(scanner).or_default().push(at);
        }
        if let Some(kvp) = taken.kvp.filter(|kvp| kvp.is_finite()) {
            of_voltage.entry(kvp.round() as i64).or_default().push(at);
        }
    }
    rare(&of_scanner, findings);
    voltages(&of_voltage, findings);
}

fn rare(of_scanner: &BTreeMap<[Option<&str>; 3], Vec<usize>>, findings: &mut Findings<'_>) {
    let slices: usize = of_scanner.values().map(Vec::len).sum();
    if slices < FEWEST_SLICES {
        return;
    }
    let rare: Vec<_> = of_scanner
        .iter()
        .filter(|(_, rows)| (rows.len() as f64) < RARE * slices as f64)
        .collect();
    let names: Vec<String> = rare
        .iter()
        .take(3)
        .map(|(scanner, _)| {
            let words: Vec<&str> = scanner.iter().flatten().copied().collect();
            words.join(" ")
        })
        .collect();
    let what = format!(
        "{} of {} scanners with their kernels give less than 1 % of the slices each, such as {}.",
        rare.len(),
        of_scanner.len(),
        names.join("; ")
    );
    let kind = Kind {
        name: "scanner.rare",
        severity: Note,
        what: &what,
        remedy: "nothing; a score says little about scanners that hardly occur",
    };
    for (_, rows) in rare {
        for &at in rows {
            findings.add(&kind, at);
        }
    }
}

fn voltages(of_voltage: &BTreeMap<i64, Vec<usize>>, findings: &mut Findings<'_>) {
    if of_voltage.len() < 2 {
        return;
    }
    let slices: usize = of_voltage.values().map(Vec::len).sum();
    let mut sorted: Vec<_> = of_voltage.iter().collect();
    sorted.sort_by_key(|(kv, rows)| (std::cmp::Reverse(rows.len()), **kv));
    let shares: Vec<String> = sorted
        .iter()
        .take(6)
        .map(|(kv, rows)| {
            let share = 100.0 * rows.len() as f64 / slices as f64;
            format!("{kv} kV {share:.1} %")
        })
        .collect();
    let what = format!(
        "Slices were taken at {} tube voltages ({}); blood is brighter at lower ones.",
        sorted.len(),
        shares.join(", ")
    );
    let kind = Kind {
        name: "scanner.several_voltages",
        severity: Note,
        what: &what,
        remedy: "nothing; the slices counted here are not of the commonest voltage",
    };
    for (_, rows) in sorted.into_iter().skip(1) {
        for &at in rows {
            findings.add(&kind, at);
        }
    }
}
