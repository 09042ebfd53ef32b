//! From a study on disk to findings, as a hospital waits for them: end to end, from a cold start, and the memory that a
//! study of many thin slices needs, beside pydicom, `OpenCV` and ONNX Runtime.

mod contender;
mod material;
mod report;
mod serve;

use std::path::PathBuf;

use falx_core::{Interrupt, Progress};
use falx_infer::RuntimeKind;

use crate::BenchError;
use crate::turns::{Rounds, same_work};
use contender::Contender;
use material::Material;
pub use report::{StudyContender, StudyReport};
pub use serve::serve;

/// What to measure of an answer for a study.
#[derive(Clone, Debug)]
pub struct StudyBenchOptions {
    /// The network's name in the zoo.
    pub network: String,
    /// A picture's side in pixels.
    pub size: usize,
    /// Slices of the study, which is a phantom.
    pub slices: usize,
    /// Slices of the study that memory is measured with; 0 = leave that out.
    pub thin_slices: usize,
    /// falx's run-times to measure.
    pub runtimes: Vec<RuntimeKind>,
    /// The Python whose pydicom, `OpenCV` and ONNX Runtime are the peer, if there is to be one.
    pub python: Option<PathBuf>,
    /// How often everything is measured.
    pub rounds: usize,
    /// Threads of every contender.
    pub threads: usize,
}

/// Rounds that warm memory and caches up, and are not counted.
const WARM_UP: usize = 1;

/// Measures contenders with the same network on the same files, in turns.
///
/// # Errors
/// [`BenchError`] where the study cannot be made, a contender does not run, or gives other probabilities.
pub fn measure(
    options: &StudyBenchOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<StudyReport, BenchError> {
    let temporary = tempfile::tempdir()?;
    let material = Material::make(options, temporary.path(), interrupt)?;
    let mut contenders = Contender::start_all(options, &material)?;
    let turns = Rounds {
        warm_up: WARM_UP,
        counted: options.rounds,
    };
    progress.begin("measuring", Some((2 * turns.all() + 1) as u64));
    turns.in_turns(&mut contenders, progress, interrupt, |contender, counts| {
        contender.answer(&material.study, counts)
    })?;
    let differences = contender::differences(&contenders);
    for (contender, &difference) in contenders.iter().zip(&differences) {
        same_work(contender.name, difference)?;
    }
    turns.in_turns(&mut contenders, progress, interrupt, |contender, counts| {
        contender.start_cold(&material.slice, counts)
    })?;
    if let Some(thin) = &material.thin {
        for contender in &mut contenders {
            if interrupt.is_requested() {
                return Err(BenchError::Interrupted);
            }
            contender.answer_thin(thin)?;
        }
    }
    progress.advance(1);
    progress.finish();
    Ok(StudyReport::new(options, &contenders, &differences))
}
