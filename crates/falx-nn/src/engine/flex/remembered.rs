//! What an operator remembers of an input until its gradient is asked for: the numbers, or how they are computed again.
//!
//! What a normalisation gives is one pass over numbers that it holds anyway; with both a step would hold twice as much.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use burn_backend::TensorMetadata;
use burn_flex::FlexTensor;

use super::tape::{Tracked, numbers, release, tensor};

/// A value whose buffer serves others when nobody needs it any more.
#[derive(Clone, Debug)]
pub struct Held(Option<FlexTensor>);

impl Held {
    /// A value on the tape.
    pub fn of(value: &Tracked) -> Self {
        value.primitive().to_contiguous().into()
    }

    /// The numbers.
    pub fn numbers(&self) -> &[f32] {
        self.0.as_ref().map(numbers).unwrap_or_default()
    }

    /// The length of each dimension.
    pub fn shape(&self) -> Vec<usize> {
        let shape = self.0.as_ref().map(|value| value.shape().to_vec());
        shape.unwrap_or_default()
    }
}

impl From<FlexTensor> for Held {
    fn from(value: FlexTensor) -> Self {
        Self(Some(value))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            release(value);
        }
    }
}

/// What an operator remembers of an input.
#[derive(Clone, Debug)]
pub enum Remembered {
    /// The numbers.
    Whole(Held),
    /// How they are computed again, and by whom else they are needed.
    Again(Arc<Again>),
}

/// The numbers of a value, from those of others.
type Compute = dyn Fn(&[&[f32]]) -> Vec<f32> + Send + Sync;

/// A value that is computed again when it is first asked for, and stays until the last of those that remember it is gone.
pub struct Again {
    sources: Vec<Remembered>,
    shape: Vec<usize>,
    compute: Box<Compute>,
    result: Mutex<Option<Held>>,
}

impl fmt::Debug for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Again")
            .field("sources", &self.sources)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

impl Remembered {
    /// The numbers of a value on the tape.
    pub fn whole(value: &Tracked) -> Self {
        Self::Whole(Held::of(value))
    }

    /// A value of `shape` that `compute` makes of the numbers of `sources`, always the same.
    pub fn again(
        sources: &[&Self],
        shape: &[usize],
        compute: impl Fn(&[&[f32]]) -> Vec<f32> + Send + Sync + 'static,
    ) -> Self {
        Self::Again(Arc::new(Again {
            sources: sources.iter().copied().cloned().collect(),
            shape: shape.to_vec(),
            compute: Box::new(compute),
            result: Mutex::new(None),
        }))
    }

    /// Whether nothing but its sources is held.
    pub const fn is_again(&self) -> bool {
        matches!(self, Self::Again(_))
    }

    /// The length of each dimension.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Self::Whole(held) => held.shape(),
            Self::Again(again) => again.shape.clone(),
        }
    }

    /// The value, computed now where nobody has asked for it before.
    pub fn held(&self) -> Held {
        let again = match self {
            Self::Whole(held) => return held.clone(),
            Self::Again(again) => again,
        };
        let mut result = again.result.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = &*result {
            return held.clone();
        }
        let sources: Vec<Held> = again.sources.iter().map(Self::held).collect();
        let numbers: Vec<&[f32]> = sources.iter().map(Held::numbers).collect();
        let held = Held::from(tensor(&again.shape, (again.compute)(&numbers)));
        // Who is the only one left asks once.
        if Arc::strong_count(again) > 1 {
            *result = Some(held.clone());
        }
        held
    }
}

/// What a node gives.
#[derive(Debug)]
pub struct Computed {
    /// The value on the tape.
    pub value: Tracked,
    /// How it is computed again, where that is little work on what is held anyway.
    pub again: Option<Remembered>,
}

impl Computed {
    /// A value that is remembered whole.
    pub const fn whole(value: Tracked) -> Self {
        Self { value, again: None }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_value_is_computed_once_for_all_that_remember_it() {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let source = Remembered::Whole(tensor(&[2], vec![1.0, 2.0]).into());
        let double = Remembered::again(&[&source], &[2], move |sources| {
            counted.fetch_add(1, Ordering::Relaxed);
            sources[0].iter().map(|x| 2.0 * x).collect()
        });
        let readers = [double.clone(), double];
        assert_eq!(count.load(Ordering::Relaxed), 0);
        for reader in readers {
            assert_eq!(reader.held().numbers(), [2.0, 4.0]);
            assert_eq!(reader.shape(), [2]);
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn the_last_to_ask_leaves_nothing_behind() {
        let source = Remembered::Whole(tensor(&[1], vec![3.0]).into());
        let Remembered::Again(again) =
            Remembered::again(&[&source], &[1], |sources| sources[0].to_vec())
        else {
            panic!("it holds its numbers");
        };
        let alone = Remembered::Again(again);
        assert_eq!(alone.held().numbers(), [3.0]);
        let Remembered::Again(again) = alone else {
            panic!("it holds its numbers");
        };
        assert!(again.result.lock().unwrap().is_none());
    }
}
