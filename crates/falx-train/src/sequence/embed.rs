//! Slices as the network of slices describes them, kept on the disk: all of RSNA's take gigabytes.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use falx_core::{Interrupt, Progress};
use falx_data::augment::AugmentConfig;
use falx_data::loader::{Loader, LoaderOptions};
use falx_data::samples::Samples;
use falx_nn::optim::{Optimizer, OptimizerConfig, Sgd};
use falx_nn::{EMBEDDING, Engine, Tensor, TrainingSession, TrainingState, Weights};

use crate::TrainError;
use crate::checkpoint::Checkpoints;
use crate::train::Run;

/// Augmentation of a view is that of an epoch which no training reaches: it shows slices as no step has seen them.
const FIRST_VIEW: u64 = 1 << 32;
const WIDTH: usize = size_of::<f32>();

/// The embeddings of some slices, in their order: one row of numbers each.
pub struct Embeddings {
    path: PathBuf,
    file: File,
    features: usize,
}

impl Embeddings {
    fn open(path: &Path, features: usize) -> Result<Self, TrainError> {
        Ok(Self {
            path: path.to_owned(),
            file: File::open(path).map_err(TrainError::io(path))?,
            features,
        })
    }

    /// Fills `rows` with as many whole rows as it has room for, from row `first` on.
    pub fn read(&mut self, first: usize, rows: &mut [f32]) -> Result<(), TrainError> {
        let mut bytes = vec![0; rows.len() * WIDTH];
        let start = (first * self.features * WIDTH) as u64;
        let read = self.file.seek(SeekFrom::Start(start));
        read.and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(TrainError::io(&self.path))?;
        for (number, bytes) in rows.iter_mut().zip(bytes.as_chunks().0) {
            *number = f32::from_le_bytes(*bytes);
        }
        Ok(())
    }

    /// The mean of each feature, and one by its standard deviation; 1 for a feature that never changes.
    pub fn moments(&self) -> Result<[Vec<f32>; 2], TrainError> {
        let mut file = BufReader::new(&self.file);
        let mut bytes = vec![0; self.features * WIDTH];
        let mut sums = vec![(0.0_f64, 0.0_f64); self.features];
        let mut rows = 0.0_f64;
        let io = || TrainError::io(&self.path);
        let length = self.file.metadata().map_err(io())?.len();
        file.rewind().map_err(io())?;
        for _ in 0..length / bytes.len().max(1) as u64 {
            file.read_exact(&mut bytes).map_err(io())?;
            rows += 1.0;
            for ((sum, squares), bytes) in sums.iter_mut().zip(bytes.as_chunks().0) {
                let value = f64::from(f32::from_le_bytes(*bytes));
                *sum += value;
                *squares += value * value;
            }
        }
        let rows = rows.max(1.0);
        let mean = sums.iter().map(|(sum, _)| (sum / rows) as f32).collect();
        let scale = sums.iter().map(|(sum, squares)| {
            let deviation = (squares / rows - (sum / rows).powi(2)).max(0.0).sqrt();
            if deviation > 1e-6 {
                deviation.recip() as f32
            } else {
                1.0
            }
        });
        Ok([mean, scale.collect()])
    }
}

/// The best network of slices, ready to describe them.
pub struct Embedder<'a> {
    run: &'a Run<'a>,
    session: Box<dyn TrainingSession>,
    /// How many numbers describe a slice.
    pub features: usize,
}

impl<'a> Embedder<'a> {
    /// The network of slices of `run`, with the weights of its best epoch, in `engine`.
    ///
    /// # Errors
    /// [`TrainError`] when the weights cannot be read, or the network has no place to cut.
    pub fn new(run: &'a Run<'a>, engine: &dyn Engine) -> Result<Self, TrainError> {
        let parameters = Checkpoints::load_weights(&run.folder.best_weights(), &run.graph)?;
        let graph = run.graph.with_embedding()?.cut_at(EMBEDDING)?;
        let output = graph.outputs().first();
        let shape = output.and_then(|(_, value)| graph.shape(*value));
        let features = shape.unwrap_or_default().iter().product();
        let optimizer = Optimizer::new(&OptimizerConfig::Sgd(Sgd::default()), &parameters);
        let state = TrainingState {
            parameters,
            optimizer,
            average: None,
        };
        Ok(Self {
            run,
            session: engine.session(&graph, state)?,
            features,
        })
    }

    /// The embeddings of all `samples` in the file at `path`, which is made, or gone on with, where it is not whole.
    /// `view` 0 shows slices as they are, others as augmentation changes them. `None` when somebody asked to stop.
    ///
    /// # Errors
    /// [`TrainError`] when a slice cannot be read or the file cannot be written.
    pub fn embed(
        &mut self,
        samples: &Arc<Samples>,
        view: u64,
        path: &Path,
        progress: &dyn Progress,
        interrupt: &Interrupt,
    ) -> Result<Option<Embeddings>, TrainError> {
        if path.is_file() {
            return Ok(Some(Embeddings::open(path, self.features)?));
        }
        let partial = path.with_extension("partial");
        let io = || TrainError::io(&partial);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let mut file = options.open(&partial).map_err(io())?;
        let batch = self.run.recipe.training.batch;
        let of_batch = (batch * self.features * WIDTH) as u64;
        // A batch that was not written whole is made again.
        let done = file.metadata().map_err(io())?.len() / of_batch;
        file.set_len(done * of_batch).map_err(io())?;
        file.seek(SeekFrom::End(0)).map_err(io())?;
        let loader = Loader::new(
            Arc::clone(samples),
            samples.all(),
            LoaderOptions {
                augment: self.augment(view),
                epoch: FIRST_VIEW + view,
                start_batch: done as usize,
                ..self.run.loader_options()
            },
        )?;
        progress.begin(
            &format!("embed {}", words(view)),
            Some(samples.len() as u64),
        );
        progress.advance((done * batch as u64).min(samples.len() as u64));
        for images in loader {
            if interrupt.is_requested() {
                file.sync_all().map_err(io())?;
                return Ok(None);
            }
            let images = images?;
            let images = Tensor {
                shape: images.shape.to_vec(),
                data: images.images.into(),
            };
            let rows = self.session.logits((&images).into(), Weights::Current)?;
            let bytes: Vec<u8> = rows.data.iter().flat_map(|x| x.to_le_bytes()).collect();
            file.write_all(&bytes).map_err(io())?;
            progress.advance((rows.data.len() / self.features.max(1)) as u64);
        }
        progress.finish();
        file.sync_all().map_err(io())?;
        std::fs::rename(&partial, path).map_err(io())?;
        Ok(Some(Embeddings::open(path, self.features)?))
    }

    /// The changes of a view; slices mixed with each other belong to no series.
    fn augment(&self, view: u64) -> Option<AugmentConfig> {
        let augment = self.run.recipe.augment.filter(|_| view > 0)?;
        Some(AugmentConfig {
            mixup: 0.0,
            cutmix: 0.0,
            ..augment
        })
    }
}

fn words(view: u64) -> String {
    match view {
        0 => "slices".to_owned(),
        view => format!("slices as changed ({view})"),
    }
}
