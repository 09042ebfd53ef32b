//! SHA-256 of the batches that falx's loader gives in Rust: what the wheel's tests compare theirs with.
//!
//! `batch_digest INDEX SPLIT FOLD SEED EPOCH`: the training side of a fold in batches of 5 pictures of 48 × 48 through the
//! seed's windows, under full augmentation with many mixtures; a line a batch, over its images, labels (NaN where unknown), weights and ids.

use std::path::Path;
use std::sync::Arc;

use falx_data::augment::AugmentConfig;
use falx_data::input::InputSpec;
use falx_data::loader::{Loader, LoaderOptions};
use falx_data::sampler::{Sampler, SamplerConfig};
use falx_data::samples::Samples;
use falx_data::split::Split;
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [index, split, fold, seed, epoch] = words.as_slice() else {
        return Err("usage: batch_digest INDEX SPLIT FOLD SEED EPOCH".into());
    };
    let (fold, seed, epoch): (i32, u64, u64) = (fold.parse()?, seed.parse()?, epoch.parse()?);
    let split = Path::new(split);
    let count = i32::try_from(Split::read(split)?.options.folds)?;
    let folds: Vec<i32> = (0..count).filter(|other| *other != fold).collect();
    let samples = Arc::new(Samples::read(Path::new(index), Some((split, &folds)))?);
    let sampler = Sampler::new(&samples, &SamplerConfig::default())?;
    let options = LoaderOptions {
        batch: 5,
        threads: 1,
        input: InputSpec {
            size: 48,
            ..InputSpec::default()
        },
        augment: Some(AugmentConfig {
            mixup: 0.5,
            cutmix: 0.3,
            ..AugmentConfig::full()
        }),
        seed,
        epoch,
        ..LoaderOptions::default()
    };
    for batch in Loader::new(samples, sampler.order(seed, epoch)?, options)? {
        let batch = batch?;
        let labels = batch.labels.iter().flat_map(|row| row.0);
        let labels = labels.map(|share| share.map_or(f32::NAN, |share| share.get() as f32));
        let numbers = batch.images.iter().copied().chain(labels);
        let mut hasher = Sha256::new();
        for number in numbers.chain(batch.weights.iter().copied()) {
            hasher.update(number.to_le_bytes());
        }
        for id in &batch.ids {
            hasher.update(id.as_str());
        }
        let digest: Vec<String> = hasher
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        println!("{}", digest.concat());
    }
    Ok(())
}
