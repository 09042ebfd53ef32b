//! Writes a report of synthetic predictions, to look at its design: `cargo run --example sample_report -- OUT.html [noise]`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use falx_core::{ImageId, LABELS, LabelRow, PatientId, Probability, Silent, random};
use falx_eval::report::{Picture, Report, TrainingCurve, write_html};
use falx_eval::{
    Attributes, Case, EvaluateOptions, EvaluationInput, Provenance, StudyReads, evaluate_input,
};
use rand::RngExt;

/// RSNA's shares of positive slices.
const PREVALENCE: [f64; 6] = [0.0042, 0.0480, 0.0348, 0.0474, 0.0627, 0.1434];

/// Slices of `patients` patients; `noise` blurs the predictions, 0 knows everything.
fn cases(patients: u64, noise: f64) -> Vec<Case> {
    let mut cases = Vec::new();
    for p in 0..patients {
        let mut rng = random::stream(7, "sample-report", &[p]);
        let (scanner, blur_of_scanner) = [("A", 0.7), ("B", 1.0), ("C", 1.6)][p as usize % 3];
        let known = [
            ("scanner", scanner),
            ("sex", ["F", "M"][p as usize / 3 % 2]),
            (
                "slice thickness",
                ["up to 2.5 mm", "over 2.5 mm"][usize::from(p.is_multiple_of(9))],
            ),
        ];
        let known = Arc::new(Attributes(
            known
                .map(|(axis, value)| (axis.into(), value.into()))
                .to_vec(),
        ));
        let bleeds: [bool; 5] = std::array::from_fn(|i| rng.random::<f64>() < 3.0 * PREVALENCE[i]);
        for slice in 0..30 {
            let mut truth = LabelRow([Some(false); 6]);
            for (i, label) in LABELS.into_iter().take(5).enumerate() {
                let here = bleeds[i] && rng.random::<f64>() < 1.0 / 3.0;
                truth.set(label, here);
                if here {
                    truth.set(falx_core::Label::Any, true);
                }
            }
            let prediction = std::array::from_fn(|i| {
                let signal = if truth.0[i] == Some(true) { 3.0 } else { -4.0 };
                let blur: f64 = (0..6).map(|_| rng.random::<f64>() - 0.5).sum();
                Probability::from_logit(signal + noise * blur_of_scanner * 3.0 * blur)
            });
            cases.push(Case {
                image_id: ImageId(format!("ID_{p:04x}{slice:02x}")),
                patient: PatientId(format!("P{p:04}")),
                study: Some(format!("S{p:04}").into()),
                series: None,
                order: None,
                attributes: Some(Arc::clone(&known)),
                truth,
                prediction,
            });
        }
    }
    cases
}

/// What three readers say of each study: they overlook some and see some that is not there, the third most.
fn reads(cases: &[Case]) -> Vec<StudyReads> {
    let mut studies: BTreeMap<&PatientId, [bool; 6]> = BTreeMap::new();
    for case in cases {
        let truth = studies.entry(&case.patient).or_default();
        for (whole, slice) in truth.iter_mut().zip(case.truth.0) {
            *whole |= slice == Some(true);
        }
    }
    let read = |(patient, truth): (&PatientId, [bool; 6])| StudyReads {
        patient: patient.clone(),
        study: patient.0.replace('P', "S").into(),
        truth: LabelRow(truth.map(Some)),
        readers: (0..3_u64)
            .map(|reader| {
                let name = patient.0.bytes().map(u64::from).collect::<Vec<u64>>();
                let mut rng = random::stream(8 + reader, "sample-readers", &name);
                let [overlooks, invents] = [(0.05, 0.02), (0.08, 0.02), (0.25, 0.05)]
                    .map(<[f64; 2]>::from)[reader as usize];
                let said = truth.map(|here| {
                    let err = if here { overlooks } else { invents };
                    Some(here ^ (rng.random::<f64>() < err))
                });
                (format!("R{}", reader + 1), LabelRow(said))
            })
            .collect(),
    };
    studies.into_iter().map(read).collect()
}

/// A grey ramp as the smallest of PNG files, with stored (uncompressed) data.
fn ramp(shade: u8) -> Vec<u8> {
    const SIDE: u32 = 96;
    let mut raw = Vec::new();
    for y in 0..SIDE {
        raw.push(0);
        for x in 0..SIDE {
            let (dx, dy) = (f64::from(x) - 47.5, f64::from(y) - 47.5);
            let r = dx.hypot(dy * 0.85);
            raw.push(if r > 42.0 {
                0
            } else if r > 38.0 {
                235
            } else {
                (f64::from(shade) + 25.0 * (dx / 9.0).sin()) as u8
            });
        }
    }
    let mut zlib = vec![0x78, 0x01, 0x01];
    zlib.extend((raw.len() as u16).to_le_bytes());
    zlib.extend((!(raw.len() as u16)).to_le_bytes());
    zlib.extend(&raw);
    let (a, b) = raw.iter().fold((1_u32, 0_u32), |(a, b), &v| {
        let a = (a + u32::from(v)) % 65521;
        (a, (b + a) % 65521)
    });
    zlib.extend((b << 16 | a).to_be_bytes());
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut head = SIDE.to_be_bytes().to_vec();
    head.extend(SIDE.to_be_bytes());
    head.extend([8, 0, 0, 0, 0]);
    for (kind, data) in [(b"IHDR", head), (b"IDAT", zlib), (b"IEND", Vec::new())] {
        let mut body = kind.to_vec();
        body.extend(&data);
        let crc = body.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |c, _| {
                if c & 1 == 1 {
                    0xEDB8_8320 ^ (c >> 1)
                } else {
                    c >> 1
                }
            })
        });
        png.extend((data.len() as u32).to_be_bytes());
        png.extend(body);
        png.extend((!crc).to_be_bytes());
    }
    png
}

fn provenance() -> Provenance {
    let words = |words: &str| Some(words.to_owned());
    Provenance {
        data_sets: vec!["synthetic predictions".to_owned()],
        data_lock: words("1f0e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"),
        partition: words("By patient: no patient, study, series or picture is on two sides"),
        judged_on: words("120 patients that nothing had seen before"),
        input: words("256 × 256 pixels, windows 40/80, 80/200, 40/380 HU"),
        network: words("simple_cnn, width 32"),
        training: words("20 epochs, Adam, learning rate 0.001"),
        selection: words("Lowest weighted log loss on the validation fold"),
        software: vec![format!("falx {}", env!("CARGO_PKG_VERSION"))],
        seed: Some(7),
        commands: [
            "falx train recipe.toml --out RUN",
            "falx evaluate RUN --html report.html",
        ]
        .map(str::to_owned)
        .to_vec(),
        recipe: words("seed = 7\n\n[network]\nname = \"simple_cnn\"\nwidth = 32\n"),
        ..Provenance::default()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments
        .next()
        .unwrap_or_else(|| "sample-report.html".to_owned());
    let noise: f64 = arguments.next().map_or(Ok(1.0), |n| n.parse())?;
    let options = EvaluateOptions {
        train_prevalence: Some(PREVALENCE),
        ..EvaluateOptions::default()
    };
    let cases = cases(120, noise);
    let reads = reads(&cases);
    let input = EvaluationInput {
        cases: &cases,
        studies: &reads,
        ..EvaluationInput::default()
    };
    let evaluation = evaluate_input(&input, &options, &Silent)?;
    println!("{evaluation}");
    let epochs = || (1..=20).map(f64::from);
    let curve = |name: &str, baseline, value: &dyn Fn(f64) -> f64| TrainingCurve {
        name: name.to_owned(),
        points: epochs().map(|e| (e, value(e))).collect(),
        baseline,
    };
    let picture = |i: u8, group: &str, truth: &str| Picture {
        png: ramp(60 + 20 * i),
        caption: format!("{truth}; predicted any 0.{}", 93 - 7 * u32::from(i)),
        group: group.to_owned(),
    };
    let report = Report {
        title: "Intracranial haemorrhage: simple CNN on synthetic predictions".to_owned(),
        subtitle: "Fold 0 of 5, patients never seen in training".to_owned(),
        provenance: provenance(),
        evaluation,
        curves: vec![
            curve("training loss", None, &|e| 0.06 + 0.3 * (-e / 3.0).exp()),
            curve("validation loss", Some(0.2311), &|e| {
                0.09 + 0.25 * (-e / 4.0).exp() + 0.001 * e
            }),
            curve("learning rate", None, &|e| {
                0.0005 * (1.0 + (e / 20.0 * std::f64::consts::PI).cos())
            }),
        ],
        pictures: (0..5)
            .map(|i| picture(i, "Positive, found", "subdural"))
            .chain((0..3).map(|i| picture(i, "Positive, missed", "epidural, subarachnoid")))
            .collect(),
        notes: vec![
            "Synthetic predictions show the page's design, nothing about any model.".to_owned(),
        ],
    };
    write_html(&report, Path::new(&out))?;
    let beside = Path::new(&out).with_extension("json");
    std::fs::write(beside, serde_json::to_string_pretty(&report.evaluation)?)?;
    Ok(())
}
