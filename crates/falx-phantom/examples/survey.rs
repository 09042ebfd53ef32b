//! What a population of phantoms holds, without writing it: `survey [PATIENTS] [SEED] [PREVALENCE]`.

use std::error::Error;

use falx_core::LABELS;
use falx_phantom::head;
use rayon::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let patients: u64 = args.next().unwrap_or_else(|| "200".into()).parse()?;
    let seed: u64 = args.next().unwrap_or_else(|| "1".into()).parse()?;
    let prevalence: f64 = args.next().unwrap_or_else(|| "0.14".into()).parse()?;
    let found: Vec<(bool, usize, [usize; 6], usize)> = (0..patients)
        .into_par_iter()
        .map(|number| {
            let head = head(seed, number, prevalence);
            if !head.bleeds() {
                return (false, head.slices(), [0; 6], 0);
            }
            let mut counts = [0; 6];
            let mut several = 0;
            for slice in 0..head.slices() {
                let labels = head.render(slice, 96).labels();
                for (count, label) in counts.iter_mut().zip(labels) {
                    *count += usize::from(label);
                }
                several += usize::from(labels[..5].iter().filter(|&&l| l).count() > 1);
            }
            (true, head.slices(), counts, several)
        })
        .collect();
    let slices: usize = found.iter().map(|f| f.1).sum();
    let bleeding: Vec<_> = found.iter().filter(|f| f.0).collect();
    let silent = bleeding.iter().filter(|f| f.2[5] == 0).count();
    let in_bleeding: usize = bleeding.iter().map(|f| f.1).sum();
    println!(
        "{patients} patients, {slices} slices, {} bleed, {silent} of them invisibly",
        bleeding.len()
    );
    for (k, label) in LABELS.iter().enumerate() {
        let n: usize = found.iter().map(|f| f.2[k]).sum();
        let who = found.iter().filter(|f| f.2[k] > 0).count();
        println!(
            "{label:>17} {:5.2} % of slices, {who} patients",
            100.0 * n as f64 / slices as f64
        );
    }
    let any: usize = found.iter().map(|f| f.2[5]).sum();
    let several: usize = found.iter().map(|f| f.3).sum();
    println!(
        "{:.3} of the bleeding patients' slices are positive",
        any as f64 / in_bleeding as f64
    );
    println!(
        "{:.3} of the positive slices carry several",
        several as f64 / any.max(1) as f64
    );
    Ok(())
}
