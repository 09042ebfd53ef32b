use std::collections::BTreeMap;

use falx_core::Label;

use super::*;

#[test]
fn resampling_and_losses_are_told_in_a_word() {
    let config = SamplerConfig::default();
    assert_eq!(sampling(&config), "no");
    let config = SamplerConfig {
        positive_any_share: Some(0.4),
        label_shares: BTreeMap::from([(Label::Epidural, 0.05)]),
        balance_studies: true,
        weights: Some("hard.csv".into()),
    };
    assert_eq!(
        sampling(&config),
        "any to 40 %, epidural to 5 %, studies alike, weighted by a file"
    );
    assert_eq!(loss(&LossConfig::default()), "log loss");
    let config = LossConfig {
        name: LossName::Focal,
        smoothing: 0.02,
        label_weights: [0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        ..LossConfig::default()
    };
    assert_eq!(
        loss(&config),
        "focal, labels weighted 0 0 0 0 0 1, smoothed by 0.02"
    );
}

#[test]
fn entropy_is_the_log_loss_of_a_constant() {
    assert_eq!((entropy(0.0), entropy(1.0)), (0.0, 0.0));
    assert!((entropy(0.5) - std::f64::consts::LN_2).abs() < 1e-15);
    let share = 0.2_f64;
    let of_cases = (-share.ln() - 4.0 * (1.0 - share).ln()) / 5.0;
    assert!((entropy(share) - of_cases).abs() < 1e-15);
}

#[test]
fn weights_that_rest_throughout_have_not_learnt() {
    let recipe = |phases: &str| -> Recipe {
        let data = "[data]\nindex = \"i\"\nsplit = \"s\"\n[network]\nhead = \"dense\"\nwidth = 8\n";
        toml::from_str(&format!("{data}{phases}")).unwrap()
    };
    let count = |phases: &str, epochs: u64| {
        let recipe = recipe(phases);
        let graph = zoo::build(&recipe.network.config(&recipe.input)).unwrap();
        trained(&recipe, &graph, epochs).unwrap()
    };
    let graph = zoo::build(&recipe("").network.config(&recipe("").input)).unwrap();
    let all = cost::of_graph(&graph).parameters;
    assert_eq!(count("", 2), all);
    let head_first = "[[phases]]\nepochs = 1\nfrozen = [\"backbone\"]\n[[phases]]\n";
    let head = count(head_first, 1);
    assert!(head > 0 && head < all, "{head} of {all}");
    assert_eq!(count(head_first, 2), all);
}
