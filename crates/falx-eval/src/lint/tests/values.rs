//! What the values of a submission look like.

use super::*;

/// A submission of twelve images against a sample of as many.
fn of_twelve(value: impl Fn(usize, usize) -> f64) -> (Desk, LintReport) {
    let desk = Desk::new();
    let text = sample(12);
    desk.put("sample.csv", text.as_bytes());
    let mut submission = "ID,Label\n".to_owned();
    for (row, line) in text.lines().skip(1).enumerate() {
        let id = line.split(',').next().unwrap();
        let _ = writeln!(submission, "{id},{}", value(row / 6, row % 6));
    }
    let report = desk.lint(submission);
    (desk, report)
}

#[test]
fn what_values_look_like_is_said() {
    let found = |value: &dyn Fn(usize, usize) -> f64| problems(&of_twelve(value).1);
    let any = |label: usize| if label == 5 { 0.4 } else { 0.0 };
    let varied =
        |image: usize, label: usize| 0.01 * image as f64 + any(label) + 0.001 * label as f64;
    assert_eq!(found(&varied), []);
    let logit = |image: usize, label: usize| -6.0 + image as f64 * 0.9 + label as f64 * 0.1;
    assert_eq!(found(&logit), [(Problem::Logits, 66)]);
    assert_eq!(
        found(&|image, label| 100.0 * varied(image, label)),
        [(Problem::Percentages, 66)]
    );
    assert_eq!(found(&|_, _| 0.3), [(Problem::Constant, 1)]);
    assert_eq!(
        found(&|image, label| if label == 0 {
            0.0
        } else {
            varied(image, label)
        }),
        [(Problem::ConstantLabel, 1)]
    );
    assert_eq!(
        found(&|image, label| f64::from(u8::from(image % (label + 2) == 0 || label == 5))),
        [(Problem::ConstantLabel, 1), (Problem::HardLabels, 1)]
    );
    let softmax = |image: usize, label: usize| {
        let weight = |label: usize| 1.0 + ((image + label) % 5) as f64 + 7.0 * (label / 5) as f64;
        weight(label) / (0..6).map(weight).sum::<f64>()
    };
    assert_eq!(found(&softmax), [(Problem::Softmax, 1)]);
}

#[test]
fn logits_are_scored_as_the_probabilities_they_stand_for() {
    let logit = |image: usize, label: usize| -6.0 + image as f64 * 0.9 + label as f64 * 0.1;
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let score = |value: &dyn Fn(usize, usize) -> f64| {
        let (desk, _) = of_twelve(value);
        let truth: String = sample(12)
            .lines()
            .map(|line| line.replace("0.5", if line.contains("ID_b") { "1" } else { "0" }) + "\n")
            .collect();
        desk.put("truth.csv", truth.as_bytes());
        let [s, sample, t] = ["submission.csv", "sample.csv", "truth.csv"].map(|n| desk.path(n));
        lint(&s, &sample, Some(&t)).unwrap().score.unwrap()
    };
    let of_logits = score(&logit);
    let of_probabilities = score(&|image, label| sigmoid(logit(image, label)));
    assert!((of_logits.weighted_log_loss - of_probabilities.weighted_log_loss).abs() < 1e-12);
}
