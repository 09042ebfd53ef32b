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
/// The difference of a probability up to which two contenders do the same work.
const SAME_WORK: f64 = 1e-4;

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
    let rounds = options.rounds + WARM_UP;
    progress.begin("measuring", Some((2 * rounds + 1) as u64));
    let mut in_turns = |act: &dyn Fn(&mut Contender, bool) -> Result<(), BenchError>| {
        for round in 0..rounds {
            if interrupt.is_requested() {
                return Err(BenchError::Interrupted);
            }
            // Nobody is always the first after the same other.
            let first = round % contenders.len().max(1);
            contenders.rotate_left(first);
            for contender in &mut contenders {
                act(contender, round >= WARM_UP)?;
            }
            contenders.rotate_right(first);
            progress.advance(1);
        }
        Ok(())
    };
    in_turns(&|contender, counts| contender.answer(&material.study, counts))?;
    in_turns(&|contender, counts| contender.start_cold(&material.slice, counts))?;
    for (name, difference) in contender::differences(&contenders) {
        if difference.is_nan() || difference > SAME_WORK {
            return Err(BenchError::OtherProbabilities {
                contender: name,
                difference,
            });
        }
    }
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
    Ok(StudyReport::new(options, &contenders))
}
