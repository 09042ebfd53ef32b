//! Options, checked against index and split: what passes over the slices start from.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use falx_core::SEED_WINDOWS;
use falx_data::cache::{Cache, Kept};
use falx_data::input::InputSpec;
use falx_data::loader::{self, LoaderOptions, Shard};
use falx_data::sampler::prevalence_of;
use falx_data::samples::Samples;
use numpy::{PyArray1, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::epoch::Epoch;
use crate::error::Failure;
use crate::options::{self, Augment, Chosen, Plan};
use crate::state::{self, MadeBy, Progress};

/// Batches of the slices of an index, made on several threads ahead of the consumer.
///
/// Iterate over it once an epoch. What a batch holds depends on the data, the seed, the epoch and the options named in
/// the README, never on `threads`, `memory`, `keep_memory` or `cache`.
#[pyclass(frozen, module = "falx")]
pub struct Loader {
    samples: Arc<Samples>,
    plan: Plan,
    options: LoaderOptions,
    drop_last: bool,
    prevalence: [f64; 6],
    prior: [f64; 6],
    made_by: MadeBy,
    progress: Mutex<Progress>,
}

impl Loader {
    /// Where the loader stands.
    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        // It is only ever assigned to, so it is whole whatever happened to another thread.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many slices an epoch has here.
    fn count(&self) -> usize {
        let (all, batch) = (self.plan.len(), self.options.batch.max(1));
        if self.drop_last {
            all - all % batch
        } else {
            all
        }
    }

    fn batches(&self) -> usize {
        self.count().div_ceil(self.options.batch.max(1))
    }

    fn begin(&self, epoch: u64, start_batch: usize) -> Result<loader::Loader, Failure> {
        let mut order = self.plan.order(self.options.seed, epoch)?;
        order.truncate(self.count());
        let options = LoaderOptions {
            epoch,
            start_batch,
            ..self.options.clone()
        };
        Ok(loader::Loader::new(
            Arc::clone(&self.samples),
            order,
            options,
        )?)
    }
}

#[pymethods]
impl Loader {
    #[new]
    #[pyo3(signature = (
        index, *, split=None, fold=None, part=None, batch_size=32, shuffle=true, drop_last=false, seed=0, epoch=0,
        size=256, windows=None, planes_mm=None, mm_per_pixel=None, crop="none", augment=None,
        positive_any_share=None, label_shares=None, balance_studies=false, sample_weights=None,
        threads=None, memory="512MiB", keep_memory="0MiB", cache=None, rank=0, world=1, unreadable="stop",
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn new(
        py: Python<'_>,
        index: PathBuf,
        split: Option<PathBuf>,
        fold: Option<u32>,
        part: Option<String>,
        batch_size: usize,
        shuffle: bool,
        drop_last: bool,
        seed: u64,
        epoch: u64,
        size: usize,
        windows: Option<Vec<(f32, f32)>>,
        planes_mm: Option<Vec<f32>>,
        mm_per_pixel: Option<f32>,
        crop: &str,
        augment: Option<Augment>,
        positive_any_share: Option<f64>,
        label_shares: Option<BTreeMap<String, f64>>,
        balance_studies: bool,
        sample_weights: Option<PathBuf>,
        threads: Option<usize>,
        memory: &str,
        keep_memory: &str,
        cache: Option<PathBuf>,
        rank: usize,
        world: usize,
        unreadable: &str,
    ) -> PyResult<Self> {
        let input = InputSpec {
            size,
            windows: windows.map_or(Ok(SEED_WINDOWS.to_vec()), options::windows)?,
            planes_mm: planes_mm.unwrap_or_else(|| vec![0.0]),
            mm_per_pixel,
            crop: options::one_of("crop", crop)?,
            ..InputSpec::default()
        };
        let kept = options::mebibytes("keep_memory", keep_memory)?;
        let mut options = LoaderOptions {
            batch: batch_size,
            threads: threads.unwrap_or_else(|| available_parallelism().map_or(1, usize::from)),
            memory_mib: options::mebibytes("memory", memory)?,
            input,
            augment: options::augment(augment)?,
            seed,
            shard: Shard { rank, world },
            on_unreadable: options::policy(unreadable)?,
            kept: (kept > 0).then(|| Arc::new(Kept::new(kept))),
            ..LoaderOptions::default()
        };
        let sampler = options::sampler(
            positive_any_share,
            label_shares,
            balance_studies,
            sample_weights,
        )?;
        // An index of a million rows takes its time; other Python threads need not wait for it.
        let opened = py.detach(|| {
            let chosen = options::choose(&index, split.as_deref(), fold, part.as_deref())?;
            let cache = cache.map(|folder| Cache::open(&folder, &chosen.data, &options.input));
            options.cache = cache.transpose()?.map(Arc::new);
            let plan = options::plan(&chosen.samples, shuffle, &sampler)?;
            let made_by = state::made_by(&chosen, &options, &sampler, [shuffle, drop_last])?;
            Ok::<_, Failure>((chosen, plan, made_by))
        });
        let (Chosen { samples, .. }, plan, made_by) = opened?;
        let prevalence = prevalence_of(&samples);
        let prior = match &plan {
            Plan::Drawn(sampler) => sampler.shown(),
            Plan::AsListed(_) => prevalence,
        };
        let loader = Self {
            samples,
            plan,
            options,
            drop_last,
            prevalence,
            prior,
            made_by,
            progress: Mutex::new(Progress {
                epoch,
                ..Progress::default()
            }),
        };
        // Options that cannot work are refused here and not in the first epoch.
        py.detach(|| loader.begin(epoch, usize::MAX).map(drop))?;
        Ok(loader)
    }

    /// Batches of an epoch.
    fn __len__(&self) -> usize {
        self.batches()
    }

    /// Begins a pass: at the epoch's first batch, or after `load_state_dict` where that state stood.
    fn __iter__(slf: Bound<'_, Self>) -> PyResult<Epoch> {
        let loader = slf.get();
        let (epoch, start, pass) = {
            let mut progress = loader.progress();
            let start = std::mem::take(&mut progress.start);
            let (epoch, pass) = (progress.epoch, progress.pass + 1);
            *progress = Progress {
                epoch,
                batch: start,
                pass,
                ..Progress::default()
            };
            (epoch, start, pass)
        };
        let batches = slf.py().detach(|| loader.begin(epoch, start))?;
        Ok(Epoch::new(slf.unbind(), pass, batches))
    }

    /// Chooses the next epoch, from its first batch. Without it each pass that ends is followed by the next epoch.
    fn set_epoch(&self, epoch: u64) {
        let mut progress = self.progress();
        let pass = progress.pass + 1;
        *progress = Progress {
            epoch,
            pass,
            ..Progress::default()
        };
    }

    /// Where the loader stands, after the batch that was given last: plain values, to be kept beside a model's weights.
    fn state_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        state::save(py, &self.progress(), &self.made_by)
    }

    /// Goes on where a state stood: the next pass gives the batches that were not given then.
    fn load_state_dict(&self, state: &Bound<'_, PyDict>) -> PyResult<()> {
        let (epoch, batch) = state::load(state, &self.made_by)?;
        let mut progress = self.progress();
        let pass = progress.pass + 1;
        *progress = Progress {
            epoch,
            batch,
            start: batch,
            pass,
            ..Progress::default()
        };
        Ok(())
    }

    /// The epoch in progress, or the next one.
    #[getter]
    fn epoch(&self) -> u64 {
        self.progress().epoch
    }

    /// Slices of an epoch.
    #[getter]
    fn slices(&self) -> usize {
        self.count()
    }

    /// How often each label is positive among the known ones as the network sees them: float64, 6.
    #[getter]
    fn prior<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.prior.to_pyarray(py)
    }

    /// The same of the data themselves, before slices were repeated: float64, 6.
    #[getter]
    fn prevalence<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.prevalence.to_pyarray(py)
    }

    /// Seconds that the newest pass has waited for batches.
    #[getter]
    fn waited(&self) -> f64 {
        self.progress().waited.as_secs_f64()
    }

    /// Slices of the newest pass that were read from their files because the cache's copy is damaged.
    #[getter]
    fn damaged(&self) -> u64 {
        self.progress().damaged
    }

    /// What the newest pass could not read, with `unreadable="skip"`: `count`, `by_reason`, and up to five `examples`.
    #[getter]
    fn skipped<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let skipped = self.progress().skipped.clone();
        let said = PyDict::new(py);
        said.set_item("count", skipped.count)?;
        said.set_item("by_reason", skipped.by_reason)?;
        said.set_item("examples", skipped.examples)?;
        Ok(said)
    }

    fn __repr__(&self) -> String {
        let input = &self.options.input;
        format!(
            "<falx.Loader: {} slices in {} batches, {} x {side} x {side}>",
            self.count(),
            self.batches(),
            input.channels(),
            side = input.size
        )
    }
}
