//! Answers for studies: JSON, JSON lines while the work goes on, and tables of series and studies.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use atomic_write_file::AtomicWriteFile;
use falx_core::{ImageId, LABELS, Prediction, Probability, RESEARCH_USE};
use falx_data::index::Index;
use falx_eval::predictions;
use falx_infer::{Answer, Detector, Findings, LostFile, SeriesChoice, StudyAnswer};
use serde::Serialize;

use super::evidence::{Writer, WrittenStudy};
use super::heat_maps::Drawing;
use crate::cli::{Predict, PredictFormat, PredictLevel, Series};
use crate::commands::{Context, model};
use crate::output::Outcome;

/// Studies of which the text says more than a number.
const TOLD: usize = 20;

#[derive(Serialize)]
struct Summary {
    out: PathBuf,
    studies: u64,
    answered: u64,
    slices: u64,
    lost_slices: u64,
    unreadable: Vec<LostFile>,
    /// The objects of each study that was answered, where DICOM was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    objects: Vec<WrittenStudy>,
    #[serde(skip)]
    told: Vec<String>,
    /// Where nobody named a model.
    #[serde(skip)]
    said: Option<String>,
}

pub fn run(
    arguments: &Predict,
    detector: Detector,
    index: &Index,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let choice = match &arguments.series {
        None | Some(Series::Best) => SeriesChoice::Best,
        Some(Series::All) => SeriesChoice::All,
        Some(Series::These(uids)) => SeriesChoice::These(uids.clone()),
    };
    let detector = detector.with_series(choice);
    let mut summary = Summary {
        out: arguments.out.clone(),
        studies: 0,
        answered: 0,
        slices: 0,
        lost_slices: 0,
        unreadable: Vec::new(),
        objects: Vec::new(),
        told: Vec::new(),
        said: model::said(&arguments.model, detector.bundle()),
    };
    let mut sink = Sink::new(arguments, &detector, index, context)?;
    let mut take = |study: StudyAnswer| {
        summary.add(&study);
        sink.take(study)
    };
    let progress = context.progress.as_ref();
    summary.unreadable = detector.answer(index, &mut take, progress, &context.interrupt)?;
    summary.objects = sink.finish(&detector, &summary.unreadable)?;
    let fine = summary.lost_slices == 0
        && summary.unreadable.is_empty()
        && summary.answered == summary.studies
        && summary.objects.iter().all(WrittenStudy::is_written);
    let text = summary.to_text();
    if arguments.out == Path::new("-") {
        // Standard output holds the lines.
        eprintln!("{text}");
        return Ok(Outcome::silent().fine_if(fine));
    }
    Ok(Outcome::done(text, &summary)?.fine_if(fine))
}

/// Where answers go.
enum Sink<'a> {
    /// One document at the end.
    Json(PathBuf, Vec<StudyAnswer>),
    /// A line a study, at once.
    Lines(Box<dyn Write>),
    /// A folder of objects a study.
    Dicom(Box<Writer<'a>>),
    /// A table at the end.
    Csv(PathBuf, PredictLevel, Vec<Prediction>),
}

impl<'a> Sink<'a> {
    fn new(
        arguments: &Predict,
        detector: &'a Detector,
        index: &'a Index,
        context: &'a Context,
    ) -> anyhow::Result<Self> {
        let out = &arguments.out;
        Ok(match arguments.format {
            PredictFormat::Json => Self::Json(out.clone(), Vec::new()),
            PredictFormat::Jsonl => {
                let mut lines: Box<dyn Write> = if out == Path::new("-") {
                    Box::new(io::stdout())
                } else {
                    let file = std::fs::File::create(out);
                    Box::new(file.with_context(|| cannot_write(out))?)
                };
                write_line(&mut lines, &detector.head())?;
                Self::Lines(lines)
            }
            PredictFormat::Dicom => {
                let maps = arguments.heat_maps;
                let drawing = maps.then(|| Drawing::new(detector, index, context));
                Self::Dicom(Box::new(Writer::new(out, detector.head(), drawing)?))
            }
            PredictFormat::Csv | PredictFormat::Kaggle => {
                Self::Csv(out.clone(), arguments.level, Vec::new())
            }
        })
    }

    fn take(&mut self, study: StudyAnswer) -> io::Result<()> {
        match self {
            Self::Json(_, studies) => studies.push(study),
            Self::Lines(lines) => write_line(lines, &study)?,
            Self::Dicom(writer) => writer.write(&study),
            Self::Csv(_, level, rows) => rows.extend(rows_of(&study, *level)),
        }
        Ok(())
    }

    fn finish(
        self,
        detector: &Detector,
        unreadable: &[LostFile],
    ) -> anyhow::Result<Vec<WrittenStudy>> {
        match self {
            Self::Json(out, studies) => {
                let answer = Answer {
                    head: detector.head(),
                    studies,
                    unreadable: unreadable.to_vec(),
                };
                let mut text = serde_json::to_string_pretty(&answer)?;
                text.push('\n');
                let write = || {
                    let mut file = AtomicWriteFile::open(&out)?;
                    file.write_all(text.as_bytes())?;
                    file.commit()
                };
                write().with_context(|| cannot_write(&out))?;
            }
            Self::Lines(mut lines) => {
                for file in unreadable {
                    write_line(&mut lines, &serde_json::json!({ "unreadable": file }))?;
                }
            }
            Self::Csv(out, _, rows) => predictions::write_csv(&rows, &out)?,
            Self::Dicom(writer) => return Ok(writer.studies),
        }
        Ok(Vec::new())
    }
}

pub(super) fn cannot_write(path: &Path) -> String {
    format!(
        "cannot write {}; check that its folder exists, may be written to and has room",
        path.display()
    )
}

/// One line, seen at once by whoever reads on.
fn write_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_string(value)?;
    line.push('\n');
    out.write_all(line.as_bytes())?;
    out.flush()
}

/// The rows of a study in a table of this level; what was not answered has none.
fn rows_of(study: &StudyAnswer, level: PredictLevel) -> Vec<Prediction> {
    let series = || study.series.iter();
    let slices = || series().flat_map(|series| &series.slices);
    let only_slice = || slices().next().map(|slice| slice.image_id.as_str());
    match level {
        PredictLevel::Slice => slices()
            .map(|slice| row(&slice.image_id, &slice.findings))
            .collect(),
        PredictLevel::Series => series()
            .filter_map(|series| {
                let first = series.slices.first().map(|slice| slice.image_id.as_str());
                Some(row(
                    series.series_uid.as_deref().or(first)?,
                    series.findings.as_ref()?,
                ))
            })
            .collect(),
        PredictLevel::Study => {
            let id = study.study_uid.as_deref().or_else(only_slice);
            let found = id.zip(study.findings.as_ref());
            found
                .map(|(id, findings)| row(id, findings))
                .into_iter()
                .collect()
        }
    }
}

fn row(id: &str, findings: &Findings) -> Prediction {
    let probability = |label| Probability::new(findings.get(label).probability).unwrap_or_default();
    Prediction {
        image_id: ImageId::from(id),
        probabilities: LABELS.map(probability),
    }
}

impl Summary {
    fn add(&mut self, study: &StudyAnswer) {
        self.studies += 1;
        self.answered += u64::from(study.findings.is_some());
        for series in &study.series {
            self.slices += series.slices.len() as u64;
            self.lost_slices += series.lost.len() as u64;
        }
        if self.told.len() < TOLD {
            self.told.push(told(study));
        }
    }

    fn to_text(&self) -> String {
        let mut text = format!(
            "{} of {} studies answered from {} slices, in {}",
            self.answered,
            self.studies,
            self.slices,
            self.out.display()
        );
        for study in &self.told {
            let _ = write!(text, "\n{study}");
        }
        let more = self.studies.saturating_sub(self.told.len() as u64);
        if more > 0 {
            let _ = write!(text, "\nand {more} more");
        }
        if self.lost_slices > 0 {
            let _ = write!(
                text,
                "\n{} slices could not be read when their turn came",
                self.lost_slices
            );
        }
        for study in &self.objects {
            let _ = write!(text, "\n{}", study.to_text());
        }
        for file in &self.unreadable {
            let _ = write!(
                text,
                "\nnot read: {} ({})",
                file.path.display(),
                file.reasons.join(", ")
            );
        }
        if let Some(said) = &self.said {
            let _ = write!(text, "\n{said}");
        }
        text.push('\n');
        text.push_str(RESEARCH_USE);
        text
    }
}

/// A study in a few lines.
fn told(study: &StudyAnswer) -> String {
    let only = study.series.iter().flat_map(|series| &series.slices).next();
    let id = study
        .study_uid
        .as_deref()
        .or(only.map(|slice| slice.image_id.as_str()));
    let mut text = format!("study {}: {}", id.unwrap_or("without a name"), study.choice);
    if let Some(findings) = &study.findings {
        text.push_str("\n ");
        for label in LABELS {
            let finding = findings.get(label);
            let _ = write!(text, " {label} {:.3}", finding.probability);
            if let Some(presence) = finding.presence {
                let _ = write!(text, " ({})", presence.name());
            }
            if label != LABELS[LABELS.len() - 1] {
                text.push(',');
            }
        }
    }
    for series in study
        .series
        .iter()
        .filter(|series| series.findings.is_some())
    {
        for caveat in &series.caveats {
            let _ = write!(text, "\n  note: {caveat}");
        }
    }
    text
}
