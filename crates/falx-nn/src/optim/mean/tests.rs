use super::*;
use crate::Tensor;

fn parameters(values: [f32; 3]) -> Parameters {
    let tensor = Tensor {
        shape: vec![3],
        data: values.to_vec(),
    };
    [("w".to_owned(), tensor)].into_iter().collect()
}

#[test]
fn every_time_counts_the_same() {
    let times = [
        [1.0, -2.0, 0.5],
        [3.0, 4.0, 0.25],
        [-7.0, 1.0, 8.0],
        [2.0, 2.0, -1.5],
    ];
    let mut mean = WeightMean::new(parameters(times[0]), 1);
    for (at, time) in times.iter().enumerate().skip(1) {
        // What a checkpoint keeps is all that there is.
        mean = WeightMean::new(mean.parameters().clone(), at as u64);
        mean.take(&parameters(*time));
    }
    assert_eq!(mean.count(), 4);
    let found = &mean.parameters().get("w").unwrap().data;
    for (at, found) in found.iter().enumerate() {
        let expected = times.iter().map(|time| f64::from(time[at])).sum::<f64>() / 4.0;
        assert!(
            (f64::from(*found) - expected).abs() < 1e-6,
            "{found} {expected}"
        );
    }
}
