use std::convert::Infallible;

use super::*;

/// Gradient descent on a parabola of curvature 1: it falls fastest at a rate of 1 and diverges above 2.
fn on_a_parabola(test: &RateTest) -> RateFinding {
    let mut place = 10.0_f64;
    let done = find_rate(test, |rate| {
        let loss = 0.5 * place * place;
        place -= rate * place;
        Ok::<_, Infallible>(loss)
    });
    let Ok(done) = done;
    done
}

#[test]
fn rates_rise_exponentially_from_the_first_to_the_last() {
    let test = RateTest::default();
    assert_eq!(test.rate(0), 1e-7);
    assert!((test.rate(99) - 1.0).abs() < 1e-12);
    let factor = test.rate(1) / test.rate(0);
    assert!((test.rate(58) / test.rate(57) - factor).abs() < 1e-9);
    assert!((factor - 10_f64.powf(7.0 / 99.0)).abs() < 1e-9);
}

#[test]
fn the_steepest_descent_of_a_parabola_lies_below_its_limit_and_divergence_ends_the_test() {
    let found = on_a_parabola(&RateTest {
        first: 1e-5,
        last: 100.0,
        ..RateTest::default()
    });
    assert_ne!(found.ended, RateEnd::Complete);
    let (steepest, tenth) = (found.steepest.unwrap(), found.tenth_of_lowest.unwrap());
    assert!((0.01..1.0).contains(&steepest), "{steepest}");
    assert!((0.01..0.5).contains(&tenth), "{tenth}");
    assert_eq!(found.suggestion, Some(steepest.min(tenth)));
    let last = found.points.last().unwrap().rate;
    assert!(last < 100.0, "{last}");
}

#[test]
fn a_loss_that_never_falls_gives_no_rate_and_one_that_is_no_number_ends() {
    let mut loss = 1.0;
    let Ok(rising) = find_rate(&RateTest::default(), |_| {
        loss += 0.01;
        Ok::<_, Infallible>(loss)
    });
    assert_eq!((rising.ended, rising.suggestion), (RateEnd::Complete, None));
    assert_eq!(rising.points.len(), 100);
    let mut steps = 0;
    let Ok(broken) = find_rate(&RateTest::default(), |_| {
        steps += 1;
        Ok::<_, Infallible>(if steps > 3 { f64::NAN } else { 0.5 })
    });
    assert_eq!((broken.ended, broken.points.len()), (RateEnd::NotFinite, 3));
    assert_eq!(broken.suggestion, None);
    let refused = find_rate(&RateTest::default(), |_| Err::<f64, _>("no"));
    assert_eq!(refused, Err("no"));
}

/// A machine on which a slice takes 10 MiB beside 100 of the network, and a batch costs 10 ms beside 1 ms a slice.
#[expect(clippy::unnecessary_wraps, reason = "it stands for a measurement")]
fn machine(batch: usize) -> Result<Option<BatchPoint>, Infallible> {
    let slices = batch as f64;
    Ok(Some(BatchPoint {
        batch,
        images_per_second: slices / (0.010 + 0.001 * slices),
        peak_mib: Some(100.0 + 10.0 * slices),
    }))
}

#[test]
fn batches_grow_until_they_are_no_faster() {
    let Ok(found) = find_batch(Some(1e6), Some(100.0), 100_000, machine);
    assert_eq!(found.ended, BatchEnd::Throughput);
    let last = found.points.last().unwrap().batch;
    assert_eq!(last, 256);
    // 128 is within 5 % of 256, 64 is not.
    assert_eq!(found.suggestion, Some(128));
}

#[test]
fn batches_that_would_not_fit_are_not_tried() {
    let mut tried = Vec::new();
    let Ok(found) = find_batch(Some(300.0), Some(100.0), 100_000, |batch| {
        tried.push(batch);
        machine(batch)
    });
    assert_eq!(tried, [1, 2, 4, 8, 16]);
    assert_eq!(
        (found.ended, found.suggestion),
        (BatchEnd::Memory, Some(16))
    );
    let Ok(found) = find_batch(Some(50.0), Some(10.0), 8, machine);
    assert_eq!((found.ended, found.suggestion), (BatchEnd::Memory, None));
}

#[test]
fn a_network_that_cannot_learn_from_one_slice_begins_with_two_and_slices_may_be_few() {
    let Ok(found) = find_batch(None, None, 9, |batch| {
        if batch == 1 { Ok(None) } else { machine(batch) }
    });
    let tried: Vec<usize> = found.points.iter().map(|point| point.batch).collect();
    assert_eq!(tried, [2, 4, 8]);
    assert_eq!((found.ended, found.suggestion), (BatchEnd::Slices, Some(8)));
}

#[test]
fn the_folder_of_a_run_is_refused() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(RunFolder::new(place.path()).lock(), []).unwrap();
    let refused = refuse_run(place.path()).unwrap_err();
    assert!(matches!(refused, TrainError::IsRun(_)), "{refused}");
    assert!(refused.to_string().contains("--out"), "{refused}");
    refuse_run(&place.path().join("other")).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn linux_tells_what_memory_there_is() {
    let (now, available) = (machine::resident_mib(), machine::available_mib());
    assert!(now.unwrap() > 0.1 && available.unwrap() > now.unwrap());
    machine::forget_peak();
    assert!(machine::peak_mib().unwrap() > 0.1);
}
