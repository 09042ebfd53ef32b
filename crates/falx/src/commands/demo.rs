//! `falx demo`: every room once, on a phantom, in the order of the data.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use atomic_write_file::AtomicWriteFile;
use falx_core::{Label, PatientId};
use falx_data::audit;
use falx_data::index::{Index, IndexOptions, Layout, build, scan};
use falx_data::split::{Split, SplitOptions, split};
use falx_eval::lint::{LintReport, lint};
use falx_eval::report::write_html;
use falx_eval::{Evaluation, Verdict, kaggle};
use falx_explain::{ExplainOptions, Explained, explain};
use falx_infer::{Bundle, PredictOptions, predict, samples};
use falx_nn::EngineKind;
use falx_phantom::PhantomOptions;
use falx_train::{JudgeOptions, Recipe, RunFolder, TrainOptions, evaluate_run, report, train};
use serde::Serialize;

use super::Context;
use crate::cli::Demo;
use crate::output::Outcome;

/// Small enough for three minutes on two cores, large enough for a score that means something.
const PATIENTS: u32 = 130;
const TEST_PATIENTS: u32 = 4;
/// Pixels a side: nearly twice what the network sees; a slice costs a quarter of one of 512.
const MATRIX: u16 = 224;
/// Most patients bleed, unlike in life: a small collection with life's 14 % has too few haemorrhages to learn from.
const PREVALENCE: f64 = 0.35;
/// Locked patients of whom heat maps are drawn.
const LOOKED_AT: usize = 2;
const RECIPE: &str = include_str!("../demo.toml");

#[derive(Serialize)]
struct Summary {
    out: PathBuf,
    report: PathBuf,
    audit: PathBuf,
    submission: PathBuf,
    heat_maps: PathBuf,
    heat_maps_drawn: usize,
    evaluation: Evaluation,
    submission_check: LintReport,
    audit_errors: bool,
}

pub fn run(arguments: &Demo, context: &Context) -> anyhow::Result<Outcome> {
    let out = std::path::absolute(&arguments.out)?;
    let progress = context.progress.as_ref();
    let phantom = out.join("phantom");
    let made = falx_phantom::write(
        &PhantomOptions {
            patients: PATIENTS,
            test_patients: TEST_PATIENTS,
            out: phantom.clone(),
            seed: arguments.seed,
            matrix: MATRIX,
            slice_prevalence: PREVALENCE,
            ..PhantomOptions::default()
        },
        progress,
        &context.interrupt,
    )?;

    let index_path = out.join("index.parquet");
    build(
        &IndexOptions {
            sources: vec![made.images],
            labels: vec![made.labels],
            layout: Layout::Rsna,
            out: index_path.clone(),
            ..IndexOptions::default()
        },
        progress,
        &context.interrupt,
    )?;
    let index = Index::read(&index_path)?;
    let audit = audit::audit(&index);
    let audit_path = out.join("audit.html");
    audit::write_html(&audit, &index, &audit_path)?;
    let options = SplitOptions {
        folds: 6,
        test_fraction: 0.22,
        seed: arguments.seed,
    };
    let split = split(&index, &options)?;
    split.write(out.join("split.parquet"))?;

    let recipe_path = out.join("recipe.toml");
    let recipe = format!("seed = {}\n\n{RECIPE}", arguments.seed);
    AtomicWriteFile::open(&recipe_path)
        .and_then(|mut file| {
            file.write_all(recipe.as_bytes())
                .and_then(|()| file.commit())
        })
        .with_context(|| format!("cannot write {}", recipe_path.display()))?;
    let run_folder = out.join("run");
    // A demo that was stopped goes on; one that was finished is judged again.
    let trained = train(
        &Recipe::read(&recipe_path)?,
        &TrainOptions {
            slices: None,
            out: run_folder.clone(),
            resume: run_folder.join("run.lock").is_file(),
            threads: context.threads,
            engine: EngineKind::default(),
        },
        progress,
        &context.interrupt,
    )?;
    if !trained.finished {
        return Ok(Outcome::done(trained.to_text(), &trained)?.fine_if(false));
    }

    let judge = JudgeOptions {
        seed: arguments.seed,
        ..JudgeOptions::default()
    };
    let run = evaluate_run(&RunFolder::new(&run_folder), &judge, progress)?;
    let heat_maps = out.join("heat-maps");
    let explained = look(&index, &split, &run_folder, &heat_maps, context)?;
    let report_path = out.join("report.html");
    let mut page = report(&run)?;
    page.notes.push(format!(
        "Where the model looked: heat-maps/index.html beside this page has heat maps of {LOOKED_AT} locked patients."
    ));
    write_html(&page, &report_path)?;
    let (submission, submission_check) = submit(&out, &phantom, &run_folder, context)?;

    let fine = run.evaluation.verdict == Verdict::Skill && submission_check.is_clean();
    let summary = Summary {
        out,
        report: report_path,
        audit: audit_path,
        heat_maps: heat_maps.join(&explained.page),
        heat_maps_drawn: explained.maps,
        submission,
        audit_errors: audit.has_errors(),
        evaluation: run.evaluation,
        submission_check,
    };
    Ok(Outcome::done(summary.to_text(&audit.to_text()), &summary)?.fine_if(fine))
}

/// Draws where the model looked on those locked patients who have most slices with haemorrhage.
fn look(
    index: &Index,
    split: &Split,
    run: &Path,
    out: &Path,
    context: &Context,
) -> anyhow::Result<Explained> {
    let folds = split.folds();
    let mut bleeding: BTreeMap<&PatientId, usize> = BTreeMap::new();
    for row in &index.rows {
        let is_locked = folds.get(&row.image_id) == Some(&-1);
        if let (true, Some(patient), Some(true)) =
            (is_locked, &row.patient, row.labels.get(Label::Any))
        {
            *bleeding.entry(patient).or_default() += 1;
        }
    }
    let mut patients: Vec<(&PatientId, usize)> = bleeding.into_iter().collect();
    patients.sort_by_key(|(_, slices)| std::cmp::Reverse(*slices));
    patients.truncate(LOOKED_AT);
    let is_chosen = |patient: &PatientId| patients.iter().any(|(chosen, _)| *chosen == patient);
    let rows = index.rows.iter();
    let rows = rows.filter(|row| row.patient.as_ref().is_some_and(is_chosen));
    let few = Index {
        rows: rows.cloned().collect(),
        ..index.clone()
    };
    let options = ExplainOptions {
        predict: PredictOptions {
            threads: context.threads,
            ..PredictOptions::default()
        },
        ..ExplainOptions::default()
    };
    let bundle = Bundle::open(&RunFolder::new(run).bundle())?;
    let progress = context.progress.as_ref();
    Ok(explain(
        &bundle,
        &few,
        out,
        &options,
        progress,
        &context.interrupt,
    )?)
}

/// Predicts the patients whose labels are held back, and checks the submission as Kaggle would.
fn submit(
    out: &Path,
    phantom: &Path,
    run: &Path,
    context: &Context,
) -> anyhow::Result<(PathBuf, LintReport)> {
    let progress = context.progress.as_ref();
    let held_back = [phantom.join("stage_2_test")];
    let index = scan(&held_back, Layout::Rsna, progress, &context.interrupt)?;
    let options = PredictOptions {
        threads: context.threads,
        ..PredictOptions::default()
    };
    let bundle = Bundle::open(&RunFolder::new(run).bundle())?;
    let (samples, _) = samples(&index)?;
    let all = samples.all();
    let predicted = predict(
        &bundle,
        &samples,
        all,
        &options,
        progress,
        &context.interrupt,
    )?;
    let submission = out.join("submission.csv");
    let sample = phantom.join("stage_2_sample_submission.csv");
    kaggle::write_submission(&predicted.predictions, Some(&sample), &submission)?;
    let truth = phantom.join("truth").join("stage_2_test.csv");
    let check = lint(&submission, &sample, Some(&truth))?;
    Ok((submission, check))
}

impl Summary {
    fn to_text(&self, audit: &str) -> String {
        let evaluation = &self.evaluation;
        let loss = evaluation.weighted_log_loss.value;
        let no_skill = evaluation
            .baselines
            .first()
            .map_or(f64::NAN, |b| b.weighted_log_loss);
        let auc = evaluation
            .labels
            .get(Label::Any.index())
            .and_then(|any| any.auc)
            .map_or_else(|| "undefined".to_owned(), |auc| format!("{:.3}", auc.value));
        format!(
            "audit\n{audit}\n\n{scores}\n\nsubmission\n{submission}\n\n\
             On {slices} slices of {patients} patients never seen: weighted log loss {loss:.4}, beside {no_skill:.4} \
             for predicting prevalence (ratio {ratio:.2}); AUC of any {auc}.\n\
             audit: {audit_page}\n\
             heat maps: {heat_maps}\n\
             report: {report}",
            scores = evaluation.to_text(),
            submission = self.submission_check.to_text(),
            slices = evaluation.slices,
            patients = evaluation.patients,
            ratio = loss / no_skill,
            audit_page = self.audit.display(),
            heat_maps = self.heat_maps.display(),
            report = self.report.display(),
        )
    }
}
