//! Pictures kept in memory from epoch to epoch, as many as a budget allows.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Parts that are locked separately.
const PARTS: usize = 16;
/// What a picture takes beside its values.
const BESIDE: usize = 96;

/// Pictures in HU by the row of their slice. The one that has not been asked for longest gives way (second chance).
///
/// What is kept is what would be read, so no batch depends on it.
#[derive(Debug)]
pub struct Kept {
    /// Bytes for each part.
    budget: usize,
    parts: [Mutex<Part>; PARTS],
}

#[derive(Debug, Default)]
struct Part {
    pictures: HashMap<u32, Picture>,
    /// The rows in the order in which they give way.
    queue: VecDeque<u32>,
    bytes: usize,
}

#[derive(Debug)]
struct Picture {
    values: Values,
    /// Asked for since it was last looked at.
    is_used: bool,
}

/// Values in half the room where they are whole quarters of a HU.
#[derive(Debug)]
enum Values {
    Quarters(Box<[i16]>),
    Floats(Box<[f32]>),
}

impl Values {
    fn of(hu: &[f32]) -> Self {
        let quarters = hu.iter().map(|&hu| {
            let number = (hu * 4.0) as i16;
            (f32::from(number) / 4.0)
                .to_bits()
                .eq(&hu.to_bits())
                .then_some(number)
        });
        match quarters.collect::<Option<Box<[i16]>>>() {
            Some(quarters) => Self::Quarters(quarters),
            None => Self::Floats(hu.into()),
        }
    }

    fn bytes(&self) -> usize {
        BESIDE
            + match self {
                Self::Quarters(values) => size_of_val(&**values),
                Self::Floats(values) => size_of_val(&**values),
            }
    }

    fn put(&self, hu: &mut [f32]) -> bool {
        match self {
            Self::Quarters(values) if values.len() == hu.len() => {
                for (hu, &value) in hu.iter_mut().zip(values) {
                    *hu = f32::from(value) / 4.0;
                }
            }
            Self::Floats(values) if values.len() == hu.len() => hu.copy_from_slice(values),
            _ => return false,
        }
        true
    }
}

impl Kept {
    /// Room for `mib` MiB of pictures; of one size and form only.
    pub fn new(mib: usize) -> Self {
        Self {
            budget: mib.saturating_mul(1 << 20) / PARTS,
            parts: std::array::from_fn(|_| Mutex::default()),
        }
    }

    fn part(&self, row: u32) -> MutexGuard<'_, Part> {
        let part = &self.parts[row as usize % PARTS];
        part.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes in use.
    pub fn bytes(&self) -> usize {
        (0..PARTS as u32).map(|part| self.part(part).bytes).sum()
    }

    /// Puts the picture of `row` into `hu`, if it is kept.
    pub(crate) fn get(&self, row: u32, hu: &mut [f32]) -> bool {
        let mut part = self.part(row);
        let Some(picture) = part.pictures.get_mut(&row) else {
            return false;
        };
        picture.is_used = true;
        picture.values.put(hu)
    }

    /// Keeps the picture of `row`, where it fits.
    pub(crate) fn keep(&self, row: u32, hu: &[f32]) {
        let values = Values::of(hu);
        let bytes = values.bytes();
        if bytes > self.budget {
            return;
        }
        let mut part = self.part(row);
        if part.pictures.contains_key(&row) {
            return;
        }
        while part.bytes + bytes > self.budget && part.drop_one() {}
        part.bytes += bytes;
        part.queue.push_back(row);
        let picture = Picture {
            values,
            is_used: false,
        };
        part.pictures.insert(row, picture);
    }
}

impl Part {
    /// Lets the first picture go that was not asked for since its last turn; false where there is none.
    fn drop_one(&mut self) -> bool {
        while let Some(row) = self.queue.pop_front() {
            let Some(picture) = self.pictures.get_mut(&row) else {
                continue;
            };
            if std::mem::take(&mut picture.is_used) {
                self.queue.push_back(row);
            } else {
                self.bytes -= picture.values.bytes();
                self.pictures.remove(&row);
                return true;
            }
        }
        false
    }
}
