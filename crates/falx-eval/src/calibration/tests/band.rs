use crate::calibration::band::{Moments, approximate, exact, mean_distance};

#[test]
fn moments_and_the_exact_distribution_agree() {
    for scale in [0.02, 0.1, 0.4, 0.97] {
        let predictions: Vec<f64> = (0..4000)
            .map(|i| scale + (1.0 - scale) * 0.4 * f64::from(i) / 4000.0)
            .collect();
        let mut moments = Moments::default();
        for &p in &predictions {
            moments.add(p);
        }
        let (a, b) = (exact(&predictions), approximate(&moments));
        assert!(
            (a.0 - b.0).abs() <= 1.0 && (a.1 - b.1).abs() <= 1.0,
            "{a:?} {b:?}"
        );
    }
}

#[test]
fn the_exact_distribution_by_hand() {
    // Four fair coins: 0 heads in 1/16 of the throws, 4 in the last 1/16.
    assert_eq!(exact(&[0.5; 4]), (0.0, 4.0));
    // Ten: the binomial distribution's quantiles are 2 and 8.
    assert_eq!(exact(&[0.5; 10]), (2.0, 8.0));
    assert_eq!(exact(&[0.0, 1.0, 1.0]), (2.0, 2.0));
    assert_eq!(exact(&[]), (0.0, 0.0));
    // 5,000 certain positives move the window far beyond its start.
    let mut many = vec![1.0; 5000];
    many.extend([0.5; 10]);
    assert_eq!(exact(&many), (5002.0, 5008.0));
}

#[test]
fn the_mean_distance_of_a_centred_normal_is_known() {
    let known = (2.0 / std::f64::consts::PI).sqrt();
    assert!((mean_distance(0.0, 4.0) - 2.0 * known).abs() < 1e-15);
    assert!((mean_distance(-0.3, 0.0) - 0.3).abs() < 1e-15);
    assert!((mean_distance(-9.0, 1.0) - 9.0).abs() < 1e-12);
}
