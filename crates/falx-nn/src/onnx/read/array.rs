//! Values that do not depend on the input's numbers: weights, and shapes with a batch that is not known yet.

/// A whole number that may grow with the batch: `fixed + batches * batch`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// What it is without the batch.
    pub fixed: i64,
    /// How often the batch goes in.
    pub batches: i64,
}

impl Size {
    /// The batch itself.
    pub const BATCH: Self = Self {
        fixed: 0,
        batches: 1,
    };

    /// A number without the batch.
    pub const fn of(fixed: i64) -> Self {
        Self { fixed, batches: 0 }
    }

    /// The number, where the batch is not in it.
    pub fn known(self) -> Option<i64> {
        (self.batches == 0).then_some(self.fixed)
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            fixed: self.fixed.checked_add(other.fixed)?,
            batches: self.batches.checked_add(other.batches)?,
        })
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.times(Self::of(-1))?)
    }

    /// The product, where the batch does not meet itself.
    pub fn times(self, other: Self) -> Option<Self> {
        let (factor, many) = match (self.known(), other.known()) {
            (Some(factor), _) => (factor, other),
            (_, Some(factor)) => (factor, self),
            _ => return None,
        };
        Some(Self {
            fixed: many.fixed.checked_mul(factor)?,
            batches: many.batches.checked_mul(factor)?,
        })
    }

    /// The quotient, towards zero as ONNX's, where it is known.
    pub fn over(self, other: Self) -> Option<Self> {
        if self == other && self != Self::default() {
            return Some(Self::of(1));
        }
        let divisor = other.known().filter(|&divisor| divisor != 0)?;
        match self.known() {
            Some(number) => number.checked_div(divisor).map(Self::of),
            None if self.fixed.checked_rem(divisor)? == 0
                && self.batches.checked_rem(divisor)? == 0 =>
            {
                Some(Self {
                    fixed: self.fixed.checked_div(divisor)?,
                    batches: self.batches.checked_div(divisor)?,
                })
            }
            None => None,
        }
    }
}

/// The numbers of an array, by the kind that matters to us.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Numbers of any floating type.
    Floats(Vec<f32>),
    /// Whole numbers of any type.
    Sizes(Vec<Size>),
    /// Truths.
    Flags(Vec<bool>),
}

/// A value that is known before the network runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The length of each dimension.
    pub shape: Vec<usize>,
    /// The numbers, the last dimension fastest.
    pub data: Data,
    /// Whether the first dimension, here 1, stands for the batch.
    pub batched: bool,
    /// The initialiser that it is, unchanged.
    pub origin: Option<String>,
}

impl Array {
    /// An array of `shape`; `None` where `data` does not fill it, or it has more dimensions than any weight.
    pub fn new(shape: Vec<usize>, data: Data) -> Option<Self> {
        let array = Self {
            shape,
            data,
            batched: false,
            origin: None,
        };
        let fills = array.shape.len() <= 16 && count(&array.shape)? == array.len();
        fills.then_some(array)
    }

    /// Whole numbers in a row.
    pub fn sizes(sizes: Vec<Size>) -> Self {
        Self {
            shape: vec![sizes.len()],
            data: Data::Sizes(sizes),
            batched: false,
            origin: None,
        }
    }

    /// One number.
    pub fn scalar(data: Data) -> Self {
        Self {
            shape: Vec::new(),
            data,
            batched: false,
            origin: None,
        }
    }

    /// How many numbers it holds.
    pub fn len(&self) -> usize {
        match &self.data {
            Data::Floats(data) => data.len(),
            Data::Sizes(data) => data.len(),
            Data::Flags(data) => data.len(),
        }
    }

    /// The whole numbers without a batch in them.
    pub fn integers(&self) -> Option<Vec<i64>> {
        match &self.data {
            Data::Sizes(sizes) => sizes.iter().map(|size| size.known()).collect(),
            _ => None,
        }
    }

    /// The whole numbers, the batch in them where it is.
    pub fn as_sizes(&self) -> Option<&[Size]> {
        match &self.data {
            Data::Sizes(sizes) => Some(sizes),
            _ => None,
        }
    }

    /// The numbers as floats; whole numbers are converted.
    pub fn floats(&self) -> Option<Vec<f32>> {
        match &self.data {
            Data::Floats(data) => Some(data.clone()),
            Data::Sizes(sizes) => sizes
                .iter()
                .map(|size| size.known().map(|number| number as f32))
                .collect(),
            Data::Flags(_) => None,
        }
    }

    /// The only number.
    pub fn only(&self) -> Option<f32> {
        (self.len() == 1 && !self.batched)
            .then(|| self.floats()?.first().copied())
            .flatten()
    }

    /// The same numbers in another shape, no longer the initialiser.
    pub fn reshaped(&self, shape: Vec<usize>) -> Option<Self> {
        Self::new(shape, self.data.clone())
    }

    /// The numbers at `places` in the shape `shape`.
    pub fn picked(&self, shape: Vec<usize>, places: &[usize]) -> Option<Self> {
        let data = match &self.data {
            Data::Floats(data) => Data::Floats(pick(data, places)?),
            Data::Sizes(data) => Data::Sizes(pick(data, places)?),
            Data::Flags(data) => Data::Flags(pick(data, places)?),
        };
        Self::new(shape, data)
    }
}

fn pick<T: Copy>(data: &[T], places: &[usize]) -> Option<Vec<T>> {
    places
        .iter()
        .map(|&place| data.get(place).copied())
        .collect()
}

/// The product of `shape`, where it can be held.
pub fn count(shape: &[usize]) -> Option<usize> {
    // A zero hides what overflows behind it, so the zeros come last.
    let product = shape
        .iter()
        .filter(|&&length| length > 0)
        .try_fold(1_usize, |product, &length| product.checked_mul(length))?;
    Some(if shape.contains(&0) { 0 } else { product })
}

/// The step in the buffer along each dimension.
pub fn steps(shape: &[usize]) -> Vec<usize> {
    let mut steps = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        steps[axis - 1] = steps[axis] * shape[axis];
    }
    steps
}

/// Where the numbers of `shape` lie in a buffer that is stepped through by `steps`, from `start` on.
///
/// The caller has checked that the product of `shape` is bearable.
pub fn places(shape: &[usize], steps: &[isize], start: isize) -> Option<Vec<usize>> {
    // A zero behind a long dimension must not let the list grow first.
    if shape.contains(&0) {
        return Some(Vec::new());
    }
    let mut places = vec![start];
    for (&length, &step) in shape.iter().zip(steps) {
        let along = |&place: &isize| {
            (0..length).map(move |at| place.checked_add(step.checked_mul(at as isize)?))
        };
        places = places
            .iter()
            .flat_map(along)
            .collect::<Option<Vec<isize>>>()?;
    }
    places
        .into_iter()
        .map(|place| usize::try_from(place).ok())
        .collect()
}

/// The shape that two shapes give together by ONNX's broadcasting.
pub fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], axis: usize| {
        (axis + shape.len())
            .checked_sub(rank)
            .map_or(1, |axis| shape[axis])
    };
    (0..rank)
        .map(|axis| match (at(a, axis), at(b, axis)) {
            (x, y) if x == y => Some(x),
            (1, y) => Some(y),
            (x, 1) => Some(x),
            _ => None,
        })
        .collect()
}

/// Where the numbers of `shape` lie in an array of the shape `from` that is broadcast to it.
pub fn spread(from: &[usize], shape: &[usize]) -> Option<Vec<usize>> {
    let ahead = shape.len().checked_sub(from.len())?;
    let own = steps(from);
    let steps: Vec<isize> = (0..shape.len())
        .map(|axis| match axis.checked_sub(ahead) {
            Some(axis) if from[axis] != 1 => own[axis] as isize,
            _ => 0,
        })
        .collect();
    places(shape, &steps, 0)
}
