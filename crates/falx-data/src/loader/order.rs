//! An epoch's order while it is loaded: on the disk where it is long, so that memory does not grow with the epoch.

use std::sync::Arc;

use crate::records::{Records, RecordsWriter};
use crate::samples::SamplesError;

/// A shorter order stays in memory: a quarter of a MiB.
const SHORT: usize = 1 << 16;

/// Which sample stands at each position of an epoch; one may come more than once.
#[derive(Clone, Debug)]
pub struct Order(Places);

#[derive(Clone, Debug)]
enum Places {
    Own(Vec<u32>),
    Shared(Arc<[u32]>),
}

impl From<Vec<u32>> for Order {
    fn from(places: Vec<u32>) -> Self {
        Self(Places::Own(places))
    }
}

impl From<&[u32]> for Order {
    fn from(places: &[u32]) -> Self {
        Self(Places::Shared(places.into()))
    }
}

impl From<Arc<[u32]>> for Order {
    fn from(places: Arc<[u32]>) -> Self {
        Self(Places::Shared(places))
    }
}

impl Order {
    /// The places of the samples.
    pub fn places(&self) -> &[u32] {
        match &self.0 {
            Places::Own(places) => places,
            Places::Shared(places) => places,
        }
    }

    /// Lays it down for the threads.
    pub(super) fn keep(self) -> Result<KeptOrder, SamplesError> {
        if self.places().len() <= SHORT {
            return Ok(KeptOrder::Memory(self));
        }
        let mut writer = RecordsWriter::new()?;
        for place in self.places() {
            writer.push(place.to_le_bytes())?;
        }
        Ok(KeptOrder::Disk(writer.finish()?))
    }
}

/// An order that threads read.
pub(super) enum KeptOrder {
    Memory(Order),
    Disk(Records<4>),
}

impl KeptOrder {
    /// How many positions there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Memory(order) => order.places().len(),
            Self::Disk(order) => order.len(),
        }
    }

    /// The sample at `position`; one that does not exist beyond the last.
    pub(super) fn get(&self, position: usize) -> Result<usize, SamplesError> {
        let place = match self {
            Self::Memory(order) => order.places().get(position).copied(),
            Self::Disk(order) => order.get(position)?.map(u32::from_le_bytes),
        };
        Ok(place.map_or(usize::MAX, |place| place as usize))
    }
}
