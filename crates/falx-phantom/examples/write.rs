//! Writes a collection and times it: `write OUT [PATIENTS] [MATRIX] [SEED] [LAYOUT] [TEST_PATIENTS] [defects]`.

use std::error::Error;
use std::time::Instant;

use falx_core::{Interrupt, Silent};
use falx_phantom::{PhantomOptions, write};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let arg = |k: usize, default: &str| args.get(k).cloned().unwrap_or_else(|| default.to_owned());
    let options = PhantomOptions {
        out: arg(0, "phantom").into(),
        patients: arg(1, "60").parse()?,
        matrix: arg(2, "256").parse()?,
        seed: arg(3, "1").parse()?,
        layout: arg(4, "rsna").parse()?,
        test_patients: arg(5, "0").parse()?,
        defects: arg(6, "") == "defects",
        ..PhantomOptions::default()
    };
    let start = Instant::now();
    let made = write(&options, &Silent, &Interrupt::default())?;
    let seconds = start.elapsed().as_secs_f64();
    let slices = made.slices + made.test_slices;
    println!(
        "{made:#?}\n{slices} slices in {seconds:.1} s, {:.1} ms each",
        1e3 * seconds / slices as f64
    );
    Ok(())
}
