//! What may help, in words: only what this recipe and these figures call for.

use super::{Forecast, Limit, Measured, PlanOptions, Speeds};
use crate::Recipe;

const GIB_IN_MIB: f64 = 1024.0;
/// Above this share of the memory there is little room for anything else.
const NEARLY_ALL: f64 = 0.9;
/// Loading and computing that reach less than this share together share the processor.
const SHARED: f64 = 0.9;

pub(super) fn of(
    recipe: &Recipe,
    options: &PlanOptions,
    measured: &Measured,
    speeds: &Speeds,
    forecasts: &[Forecast],
) -> Vec<String> {
    let mut words = match speeds.limit() {
        Limit::Loading => loading(recipe, measured),
        Limit::Disk => disk(measured),
        Limit::Computing => computing(recipe, options),
    };
    words.extend(sharing(options, measured));
    words.extend(memory(recipe, options, forecasts));
    if let Some(sequence) = &recipe.sequence {
        words.push(format!(
            "The second stage is not in these figures: slices go through the network forward once more, those that are learnt \
             from {} in all, and each time a slice takes some kilobytes on the disk.",
            falx_eval::text::count(sequence.views as u64 + 1, "time")
        ));
    }
    if recipe.training.patience.is_some() {
        words.push("training.patience may end the run sooner than foretold.".to_owned());
    }
    words
}

fn loading(recipe: &Recipe, measured: &Measured) -> Vec<String> {
    let mut words = vec![
        "The network waits for slices: give more --threads, as far as there are cores or the disk is slow to answer."
            .to_owned(),
    ];
    if !measured.has_cache {
        words.push(format!(
            "Make a cache of pictures once: `falx cache INDEX --size {} --out cache`, and name it in data.cache.",
            recipe.input.size
        ));
    }
    if recipe.training.keep_memory_mib == 0 {
        words.push(
            "Keep pictures in memory from epoch to epoch (training.keep_memory_mib) where there is room."
                .to_owned(),
        );
    }
    if measured.planes > 1 {
        words.push(format!(
            "Each slice is read with its neighbours, {} pictures in all; input.planes_mm says which.",
            measured.planes
        ));
    }
    words
}

fn disk(measured: &Measured) -> Vec<String> {
    let mut words =
        vec!["The disk is slower than the loader: bring the data to a faster one.".to_owned()];
    if !measured.has_cache {
        words.push("A cache (`falx cache`) has fewer bytes to read.".to_owned());
    }
    words
}

fn computing(recipe: &Recipe, options: &PlanOptions) -> Vec<String> {
    let mut words = vec![format!(
        "Computing takes the time: a smaller input.size costs by its square ({0} now), a smaller network likewise \
         (`falx models list` has the multiply-adds).",
        recipe.input.size
    )];
    if options.engine == falx_nn::EngineKind::default() && options.machine.is_none() {
        words.push(
            "A graphics card computes faster: builds with the features torch, vulkan or metal (docs/engines.md)."
                .to_owned(),
        );
    }
    words.push(
        "training.accumulate makes steps larger without memory, but no epoch faster.".to_owned(),
    );
    words
}

fn sharing(options: &PlanOptions, measured: &Measured) -> Option<String> {
    let slowest = measured.stages.iter().min_by(|a, b| {
        a.training_slices_per_second
            .total_cmp(&b.training_slices_per_second)
    })?;
    let alone = slowest
        .step_slices_per_second
        .min(measured.loader_slices_per_second);
    let is_here = options.machine.is_none_or(|machine| !machine.has_speeds());
    let is_shared = slowest.training_slices_per_second < SHARED * alone;
    (is_here && is_shared).then(|| {
        "Loading and computing share the processor here: together they are slower than either alone.".to_owned()
    })
}

fn memory(recipe: &Recipe, options: &PlanOptions, forecasts: &[Forecast]) -> Vec<String> {
    let there = options.machine.and_then(|machine| machine.memory_gib);
    let there = there.map(|gib| gib * GIB_IN_MIB);
    let Some(room) = there.or_else(crate::finder::machine::available_mib) else {
        return Vec::new();
    };
    let peaks = forecasts.iter().filter_map(|f| f.memory.peak);
    let peak = peaks.map(|peak| peak.value).fold(0.0, f64::max);
    if peak <= NEARLY_ALL * room {
        return Vec::new();
    }
    let mut words = vec![format!(
        "Memory: {peak:.0} MiB of {room:.0} are needed. Take a smaller training.batch, and with training.accumulate steps of the \
         same size."
    )];
    if recipe.training.checkpoints == 0 {
        words.push(
            "training.checkpoints computes some values twice instead of keeping them.".to_owned(),
        );
    }
    if recipe.training.keep_memory_mib > 0 {
        words.push("training.keep_memory_mib can be lowered.".to_owned());
    }
    words
}
