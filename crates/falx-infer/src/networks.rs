//! The networks of a bundle over slices as they come, and what is made of a series' slices together.

use std::fmt;

use falx_core::{ImageId, Prediction, Probability};
use falx_data::samples::Samples;

use crate::calibration::calibrated;
use crate::series::{SeriesModel, smoothed};
use crate::{
    Bundle, CalibrationLine, Mean, Model, ModelError, PredictError, PredictOptions, PriorShift,
    mirrored,
};

/// One network of a bundle.
struct Network {
    model: Model,
    calibration: Vec<CalibrationLine>,
    prior: Option<PriorShift>,
    series: Option<SeriesModel>,
}

/// What a network has given of one view of the slices that are not answered yet.
enum Given {
    /// Probabilities, calibrated and corrected for the prior.
    Rows(Vec<[Probability; 6]>),
    /// What a network over series will read.
    Embeddings(Vec<f32>),
}

/// The loaded networks of a bundle.
pub struct Members {
    networks: Vec<Network>,
    /// Whether they also see every picture's mirror.
    flip: bool,
    smooth_mm: Option<f64>,
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members")
            .field("networks", &self.networks.len())
            .finish_non_exhaustive()
    }
}

impl Members {
    /// Loads all networks.
    ///
    /// # Errors
    /// [`ModelError`] when one cannot be loaded.
    pub fn load(bundle: &Bundle, options: &PredictOptions) -> Result<Self, ModelError> {
        let mut networks = Vec::new();
        for network in bundle.networks() {
            let series = network.sequence.as_ref();
            let series = series.map(|(file, config)| {
                let onnx = bundle.read(file)?;
                SeriesModel::load(&onnx, &bundle.place(file), config, options.threads)
            });
            let file = &network.model;
            let (onnx, path) = (bundle.read(file)?, bundle.place(file));
            networks.push(Network {
                model: Model::load(onnx, &path, options.runtime, options.threads)?,
                calibration: network.calibration,
                prior: network.prior,
                series: series.transpose()?,
            });
        }
        Ok(Self {
            networks,
            flip: options.flip || bundle.manifest().test_time_flip,
            smooth_mm: bundle.manifest().smooth_mm,
        })
    }
}

/// The networks of a bundle, and the slices whose series has not ended yet: memory is for one series and one batch.
pub struct Networks<'a> {
    members: &'a mut Members,
    /// The series and the position in mm of every sample; none where slices are answered one by one.
    series: Vec<u32>,
    positions: Vec<f32>,
    waiting: Vec<(ImageId, u32)>,
    /// One a network and view.
    given: Vec<Given>,
}

impl<'a> Networks<'a> {
    /// Loaded networks, for these samples.
    ///
    /// # Errors
    /// [`PredictError::Samples`] when the list of samples cannot be read.
    pub fn new(members: &'a mut Members, samples: &Samples) -> Result<Self, PredictError> {
        let joins = members.networks.iter().any(|n| n.series.is_some());
        let is_joined = members.smooth_mm.is_some() || joins;
        let mut given = Vec::new();
        for network in &members.networks {
            given.push(network.nothing());
            if members.flip {
                given.push(network.nothing());
            }
        }
        Ok(Self {
            members,
            series: if is_joined {
                samples.series()?
            } else {
                Vec::new()
            },
            positions: if is_joined {
                samples.positions()?
            } else {
                Vec::new()
            },
            waiting: Vec::new(),
            given,
        })
    }

    /// Runs the networks of slices on a batch of these slices, named by their ids and places.
    ///
    /// # Errors
    /// [`ModelError`] when a network cannot be run.
    pub fn take(
        &mut self,
        images: &[f32],
        shape: [usize; 4],
        slices: impl Iterator<Item = (ImageId, u32)>,
    ) -> Result<(), ModelError> {
        if shape[0] == 0 {
            return Ok(());
        }
        self.waiting.extend(slices);
        let mirror = self.members.flip.then(|| mirrored(images, shape[3]));
        let mut given = self.given.iter_mut();
        for network in &mut self.members.networks {
            let views = std::iter::once(images).chain(mirror.as_deref());
            for (view, given) in views.zip(given.by_ref()) {
                network.give(view, shape, given)?;
            }
        }
        Ok(())
    }

    /// The answers to slices of which nothing more is to come, with their places: all, or those of series that have ended.
    ///
    /// # Errors
    /// [`ModelError`] when a network over series cannot be run.
    pub fn complete(&mut self) -> Result<Vec<(u32, Prediction)>, ModelError> {
        let Some(&(_, last)) = self.waiting.last() else {
            return Ok(Vec::new());
        };
        if self.series.is_empty() {
            return self.rest();
        }
        let series = |place: u32| self.series.get(place as usize);
        let open = self.waiting.iter().rev();
        let open = open
            .take_while(|(_, place)| series(*place) == series(last))
            .count();
        self.answer(self.waiting.len() - open)
    }

    /// The answers to all slices that wait, with their places.
    ///
    /// # Errors
    /// As [`Networks::complete`].
    pub fn rest(&mut self) -> Result<Vec<(u32, Prediction)>, ModelError> {
        self.answer(self.waiting.len())
    }

    /// Answers the first `count` slices, series by series.
    fn answer(&mut self, count: usize) -> Result<Vec<(u32, Prediction)>, ModelError> {
        let slices: Vec<(ImageId, u32)> = self.waiting.drain(..count).collect();
        let mut predictions = Vec::with_capacity(count);
        let series_of = |place: u32| self.series.get(place as usize).copied();
        let lengths: Vec<usize> = slices
            .chunk_by(|(_, a), (_, b)| series_of(*a) == series_of(*b))
            .map(<[_]>::len)
            .collect();
        let mut slices = slices.into_iter();
        for length in lengths {
            let of_series: Vec<(ImageId, u32)> = slices.by_ref().take(length).collect();
            let mut rows = self.mean(length)?;
            if let Some(mm) = self.members.smooth_mm {
                let position = |(_, place): &(ImageId, u32)| {
                    let known = self.positions.get(*place as usize);
                    known.copied().unwrap_or(f32::NAN)
                };
                let positions: Vec<f32> = of_series.iter().map(position).collect();
                rows = smoothed(&rows, &positions, mm);
            }
            let answered = of_series.into_iter().zip(rows);
            predictions.extend(answered.map(|((image_id, place), probabilities)| {
                let prediction = Prediction {
                    image_id,
                    probabilities,
                };
                (place, prediction)
            }));
        }
        Ok(predictions)
    }

    /// The mean over the networks of each one's mean over the views, of the first `count` slices, which no longer wait.
    fn mean(&mut self, count: usize) -> Result<Vec<[Probability; 6]>, ModelError> {
        let views = if self.members.flip { 2 } else { 1 };
        let mut mean = Mean::default();
        for (network, given) in self
            .members
            .networks
            .iter_mut()
            .zip(self.given.chunks_mut(views))
        {
            let mut of_views = Mean::default();
            for given in given {
                of_views.add(&network.rows(given, count)?);
            }
            mean.add(&of_views.rows());
        }
        Ok(mean.rows())
    }
}

impl Network {
    fn nothing(&self) -> Given {
        match &self.series {
            None => Given::Rows(Vec::new()),
            Some(_) => Given::Embeddings(Vec::new()),
        }
    }

    /// Adds what it gives of a batch.
    fn give(
        &mut self,
        images: &[f32],
        shape: [usize; 4],
        given: &mut Given,
    ) -> Result<(), ModelError> {
        match (given, &self.series) {
            (Given::Embeddings(rows), Some(series)) => {
                let features = series.features();
                rows.extend(self.model.embeddings(images, shape, features)?);
            }
            (Given::Rows(rows), _) => {
                let batch = self.model.probabilities(images, shape)?.into_iter();
                rows.extend(batch.map(|row| corrected(&self.calibration, self.prior, row)));
            }
            // `nothing` made what fits.
            (Given::Embeddings(_), None) => {}
        }
        Ok(())
    }

    /// The probabilities of the first `count` slices, which are taken out of `given`.
    fn rows(
        &mut self,
        given: &mut Given,
        count: usize,
    ) -> Result<Vec<[Probability; 6]>, ModelError> {
        match (given, &mut self.series) {
            (Given::Rows(rows), _) => Ok(rows.drain(..count).collect()),
            (Given::Embeddings(rows), Some(series)) => {
                let rows: Vec<f32> = rows.drain(..count * series.features()).collect();
                let rows = series.probabilities(&rows)?.into_iter();
                let rows = rows.map(|row| corrected(&self.calibration, self.prior, row));
                Ok(rows.collect())
            }
            (Given::Embeddings(_), None) => Ok(Vec::new()),
        }
    }
}

fn corrected(
    lines: &[CalibrationLine],
    prior: Option<PriorShift>,
    row: [Probability; 6],
) -> [Probability; 6] {
    let row = calibrated(lines, row);
    prior.map_or(row, |prior| prior.correct(row))
}
