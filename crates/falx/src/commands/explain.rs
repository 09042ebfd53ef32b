//! `falx explain`

use anyhow::Context as _;
use falx_core::LABELS;
use falx_data::index::Layout;
use falx_explain::judge::{JudgeOptions, judge, write};
use falx_explain::{ExplainOptions, MapOptions, explain};
use falx_infer::{Bundle, PredictOptions};
use falx_train::bundle_in;

use super::{Context, model, sources};
use crate::cli::Explain;
use crate::output::Outcome;

pub fn run(arguments: &Explain, context: &Context) -> anyhow::Result<Outcome> {
    let bundle = model::open(&arguments.model)?;
    let progress = context.progress.as_ref();
    let index = sources::index(&arguments.sources, Layout::Auto, context)?;
    let labels = if arguments.label.is_empty() {
        LABELS.to_vec()
    } else {
        arguments.label.clone()
    };
    let maps = MapOptions {
        method: arguments.method,
        layer: arguments.layer.clone(),
        runtime: arguments.runtime,
        threads: context.threads,
    };
    let predict = PredictOptions {
        runtime: arguments.runtime,
        threads: context.threads,
        ..PredictOptions::default()
    };
    let Some(methods) = &arguments.judge else {
        let options = ExplainOptions {
            maps,
            labels,
            at_least: arguments.at_least,
            predict,
            ..ExplainOptions::default()
        };
        let out = &arguments.out;
        let explained = explain(&bundle, &index, out, &options, progress, &context.interrupt)?;
        let fine = explained.unreadable.is_empty();
        let mut text = explained.to_text(out);
        if let Some(said) = model::said(&arguments.model, &bundle) {
            text = format!("{text}\n{said}");
        }
        return Ok(Outcome::done(text, &explained)?.fine_if(fine));
    };
    let options = JudgeOptions {
        methods: match methods.0.as_slice() {
            [] => vec![arguments.method],
            methods => methods.to_vec(),
        },
        maps,
        labels,
        masks: arguments.masks.clone(),
        replicates: arguments.replicates,
        seed: arguments.seed,
        sanity_slices: arguments.sanity_slices,
        shuffled: match &arguments.shuffled {
            Some(shuffled) => Some(Bundle::open(&bundle_in(shuffled))?),
            None => None,
        },
        predict,
        ..JudgeOptions::default()
    };
    // Whether the folder can be written is known before the work, not after it; where nothing is done, nothing is left.
    let out = &arguments.out;
    let is_new = !out.exists();
    std::fs::create_dir_all(out).with_context(|| {
        format!(
            "{} cannot be made; choose a folder that may be written",
            out.display()
        )
    })?;
    let judged = judge(&bundle, &index, &options, progress, &context.interrupt);
    if is_new && judged.is_err() {
        let _ = std::fs::remove_dir(out);
    }
    let judgement = judged?;
    let page = write(&judgement, out)?;
    let text = format!("{}\n{}", judgement.to_text(), page.display());
    Ok(Outcome::done(text, &judgement)?.fine_if(judgement.is_sound()))
}
